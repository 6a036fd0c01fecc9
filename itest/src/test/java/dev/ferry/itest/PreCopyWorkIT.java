// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.DeviceState;
import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.FaultyOwner;
import dev.ferry.itest.harness.FaultyOwner.Faults;
import dev.ferry.itest.harness.GuestIT;
import dev.ferry.itest.harness.GuestRun;
import dev.ferry.itest.harness.Unhurried;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.virtio.AdminOpcode;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.After;
import org.junit.Before;
import org.junit.Test;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;

/**
 * What pre-copy saves of the downtime of a device that takes its time, and what it costs in total: counted in admin
 * commands, each as long as the emulator's latency profile {@code smartnic} says. No machine is too busy for that.
 */
@ExamReactorStrategy(PerClass.class)
public class PreCopyWorkIT extends GuestIT {
    /** Source and destination as the migration knows them: by queues that are watched. */
    private static final String WATCHED_SOURCE = "host8/pf0/vf1";
    private static final String WATCHED_DESTINATION = "host9/pf0/vf1";

    private static final double LEAST_DOWNTIME_LESS_PERCENT = 75;
    private static final double MOST_TOTAL_MORE_PERCENT = 5;

    /** The latency profile, a copy of {@code Latency.profile} of the emulator. */
    private static final int CREATE_OBJECT_MILLIS = 1;
    private static final int STOP_OR_RESUME_MILLIS = 50;
    private static final int FIRST_CAPTURE_MILLIS = 50;
    private static final int CAPTURE_MILLIS = 10;
    private static final int FIRST_LOAD_MILLIS = 1480;
    private static final int LOAD_MILLIS = 10;

    private final Faults commands = new Faults();
    private FaultyOwner source;
    private FaultyOwner destination;

    /** Milliseconds of the devices at both ends, of which the guest stood still for some. */
    private record Work(int total, int downtime) {}

    @Before
    public void configure() throws Exception {
        adapters.twoHosts(1);
        source = new FaultyOwner(context, "host1/pf0", "host8", commands);
        destination = new FaultyOwner(context, "host2/pf0", "host9", commands);
        awaitDevices(WATCHED_SOURCE, WATCHED_DESTINATION);
    }

    @After
    public void withdrawWatchedOwners() {
        source.close();
        destination.close();
    }

    @Test
    public void shouldTakeAQuarterOfTheDowntimeAtMostAndLittleMoreInTotalWhenThereIsPreCopy() throws Exception {
        Work without = migrate(false);
        Work with = migrate(true);

        assertThat(100.0 * (without.downtime() - with.downtime()) / without.downtime())
                .as("%% less downtime, %s with pre-copy, %s without", with, without)
                .isGreaterThanOrEqualTo(LEAST_DOWNTIME_LESS_PERCENT);
        assertThat(100.0 * (with.total() - without.total()) / without.total())
                .as("%% more in total, %s with pre-copy, %s without", with, without)
                .isLessThanOrEqualTo(MOST_TOTAL_MORE_PERCENT);
    }

    private Work migrate(boolean preCopy) throws Exception {
        for (String device : List.of(WATCHED_SOURCE, WATCHED_DESTINATION)) {
            migrations.setState(device, DeviceState.RUNNING);
        }
        GuestRun run = GuestRun.boot(context, SOURCE, DESTINATION);
        MigrationRequest request = Unhurried.move(WATCHED_SOURCE, WATCHED_DESTINATION)
                .withGuests(run.guests()[0], run.guests()[1])
                .withPreCopy(preCopy);
        AtomicInteger paused = new AtomicInteger();
        AtomicInteger resumed = new AtomicInteger();
        MigrationListener listener = event -> {
            if (event instanceof MigrationEvent.PhaseStarted now && now.phase() == MigrationPhase.SWITCHOVER) {
                paused.set(commands.count());
            } else if (event instanceof MigrationEvent.PhaseEnded now && now.phase() == MigrationPhase.START) {
                resumed.set(commands.count());
            }
        };

        commands.watch();
        MigrationReport report = Await.result(migrations.start(request, listener).result());
        List<String> sent = commands.disarm();

        assertThat(report.failure()).isEmpty();
        run.requireWell(true, report.toString());
        return work(sent, paused.get(), resumed.get());
    }

    private static Work work(List<String> sent, int paused, int resumed) {
        Set<String> before = new HashSet<>();
        int total = 0;
        int downtime = 0;
        for (int at = 0; at < sent.size(); at++) {
            int millis = millis(sent.get(at), before);
            total += millis;
            downtime += at >= paused && at < resumed ? millis : 0;
        }
        return new Work(total, downtime);
    }

    /** What is done for the first time with a device parts object takes longer. */
    private static int millis(String command, Set<String> before) {
        String host = command.substring(0, command.indexOf(' '));
        int opcode = Integer.decode(command.substring(host.length() + 1));
        if (opcode == AdminOpcode.RESOURCE_OBJ_CREATE.number()) {
            before.removeIf(earlier -> earlier.startsWith(host));
            return CREATE_OBJECT_MILLIS;
        }
        if (opcode == AdminOpcode.DEV_PARTS_GET.number()) {
            return before.add(command) ? FIRST_CAPTURE_MILLIS : CAPTURE_MILLIS;
        }
        if (opcode == AdminOpcode.DEV_PARTS_SET.number()) {
            return before.add(command) ? FIRST_LOAD_MILLIS : LOAD_MILLIS;
        }
        return opcode == AdminOpcode.DEV_MODE_SET.number() ? STOP_OR_RESUME_MILLIS : 0;
    }
}
