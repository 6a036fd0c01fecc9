// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.DeviceState;
import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.FaultyOwner;
import dev.ferry.itest.harness.FaultyOwner.Fault;
import dev.ferry.itest.harness.FaultyOwner.Faults;
import dev.ferry.itest.harness.GuestIT;
import dev.ferry.itest.harness.GuestRun;
import dev.ferry.itest.harness.Saved;
import dev.ferry.itest.harness.Unhurried;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;

/**
 * A guest under traffic migrates, and each admin command in turn goes wrong in each way: the guest runs at exactly one
 * side, no frame is harmed, and no object and no session is left. The time it takes is bounded by the number of
 * commands of one migration; those by which both sides are asked for their profiles are sent in any order.
 */
@ExamReactorStrategy(PerClass.class)
public class AdminFaultIT extends GuestIT {
    /** Source and destination as the migration knows them: by queues that fail. */
    private static final String FAULTY_SOURCE = "host8/pf0/vf1";
    private static final String FAULTY_DESTINATION = "host9/pf0/vf1";

    /** Opcodes, as the record of commands has them. */
    private static final String OBJECT_DESTROY = "0x0d";
    private static final String METADATA_GET = "0x0e";
    private static final String PARTS_GET = "0x0f";
    private static final String PARTS_SET = "0x10";
    private static final String MODE_SET = "0x11";

    /** So that a session that is left stands in the way of the next one. */
    private static final int OBJECTS = 1;

    /** A sweep that ends earlier has not swept a migration; one that goes on for longer would not end. */
    private static final int FEWEST_COMMANDS = 10;
    private static final int MOST_COMMANDS = 100;

    private final Faults faults = new Faults();
    private FaultyOwner source;
    private FaultyOwner destination;

    @Before
    public void configure() throws Exception {
        for (String host : List.of("host1", "host2")) {
            adapters.create(Map.of("host", host, "name", "pf0", "members", 1, "objectLimit", OBJECTS));
        }
        source = new FaultyOwner(context, "host1/pf0", "host8", faults);
        destination = new FaultyOwner(context, "host2/pf0", "host9", faults);
        awaitDevices(FAULTY_SOURCE, FAULTY_DESTINATION);
    }

    @After
    public void withdrawFaultyOwners() throws Exception {
        source.close();
        destination.close();
    }

    @Test
    public void shouldRunTheGuestAtOneSideWhenACommandIsRefused() throws Exception {
        sweep(Fault.REFUSED);
    }

    @Test
    public void shouldRunTheGuestAtOneSideWhenACommandIsNotSent() throws Exception {
        sweep(Fault.NOT_SENT);
    }

    @Test
    public void shouldRunTheGuestAtOneSideWhenNobodyLearnsThatACommandWasExecuted() throws Exception {
        sweep(Fault.NOT_TOLD);
    }

    @Test
    public void shouldRunTheGuestAtOneSideWhenAnAnswerHasNoByte() throws Exception {
        sweep(Fault.SHORT);
    }

    /** Until a migration sends no command any more that could go wrong. */
    private void sweep(Fault fault) throws Exception {
        int at = 0;
        while (migrateWithFault(fault, at)) {
            at++;
            assertThat(at).as("commands of one migration").isLessThan(MOST_COMMANDS);
        }
        assertThat(at).as("commands of one migration").isGreaterThan(FEWEST_COMMANDS);
    }

    /** Answers whether the migration got as far as to the fault. */
    private boolean migrateWithFault(Fault fault, int at) throws Exception {
        byte[] blankSource = blank(FAULTY_SOURCE);
        byte[] blankDestination = blank(FAULTY_DESTINATION);
        GuestRun run = GuestRun.boot(context, SOURCE, DESTINATION);
        MigrationRequest request = Unhurried.move(FAULTY_SOURCE, FAULTY_DESTINATION)
                .withGuests(run.guests()[0], run.guests()[1]);

        faults.arm(fault, at);
        MigrationReport report =
                Await.result(migrations.start(request, MigrationListener.NONE).result());
        List<String> commands = faults.disarm();
        boolean hit = commands.size() > at;
        String story = "%s at %d of %s: %s".formatted(fault, at, commands, report);

        boolean moved = report.result() == Result.COMPLETED;
        if (moved) {
            assertThat(state(FAULTY_SOURCE)).as(story).isEqualTo(DeviceState.STOP);
            requireAlone(story, FAULTY_DESTINATION, FAULTY_SOURCE, blankSource);
            assertThat(!hit || canDoWithout(fault, commands.get(at))).as(story).isTrue();
        } else {
            assertThat(hit).as(story).isTrue();
            requireTold(story, fault, commands.get(at), report.failure().orElseThrow());
            requireAlone(story, FAULTY_SOURCE, FAULTY_DESTINATION, blankDestination);
        }
        run.requireWell(moved, story);
        return hit;
    }

    /**
     * Whether a migration may complete when this goes wrong: an object that is not destroyed is left to the reset, a
     * destination is started once more, parts that are refused with their padding are set without it, and commands
     * that ask nothing need no answer beyond having been executed.
     */
    private static boolean canDoWithout(Fault fault, String command) {
        boolean destroys = command.endsWith(OBJECT_DESTROY);
        boolean starts = command.equals("host9 " + MODE_SET);
        return switch (fault) {
            case NOT_SENT, NOT_TOLD -> destroys || starts;
            case REFUSED -> destroys || starts || command.equals("host9 " + PARTS_SET);
            case SHORT -> !command.endsWith(METADATA_GET) && !command.endsWith(PARTS_GET);
        };
    }

    /** Who failed and why, as it was told to the one who asked for the migration. */
    private static void requireTold(String story, Fault fault, String command, Failure failure) {
        boolean profile = failure.phase().equals(Optional.of(MigrationPhase.CONNECT));
        assertThat(failure.code())
                .as(story)
                .isEqualTo(profile ? FailureCode.CHECK_FAILED : FailureCode.DEVICE_FAILED);
        String faulty = command.startsWith("host8") ? FAULTY_SOURCE : FAULTY_DESTINATION;
        assertThat(failure.device()).as(story).contains(faulty);
        assertThat(failure.message()).as(story).startsWith(faulty).contains(switch (fault) {
            case REFUSED -> "refused the admin command";
            case NOT_SENT, NOT_TOLD -> "the queue is told to break";
            case SHORT -> "member 1 of";
        });
    }

    /** The state of a device that no guest uses. */
    private byte[] blank(String device) throws Exception {
        migrations.setState(device, DeviceState.RUNNING);
        return Saved.of(migrations, device);
    }

    /** One side runs, and the other has nothing to run; saving both takes all objects there may be. */
    private void requireAlone(String story, String running, String other, byte[] blank) throws Exception {
        assertThat(state(running)).as(story).isEqualTo(DeviceState.RUNNING);
        try {
            assertThat(Saved.of(migrations, running)).as(story).isNotEmpty();
            assertThat(blank(other)).as(story).isEqualTo(blank);
        } catch (MigrationException e) {
            throw new AssertionError(story, e);
        }
    }

    private DeviceState state(String device) {
        return migrations.device(device).orElseThrow().state().orElseThrow();
    }
}
