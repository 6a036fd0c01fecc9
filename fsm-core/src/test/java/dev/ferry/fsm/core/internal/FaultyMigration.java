// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * One migration in which one call of a driver, a guest or a tracker goes wrong, and what must be true afterwards:
 * exactly one side runs, nothing is left behind, and what is reported is what happened first. Its guest writes all the
 * time.
 */
final class FaultyMigration {

    private static final String MARK = "injected";

    private FaultyMigration() {}

    /** The call that was chosen, and when it came. */
    private record Met(MigrationPhase phase, String call) {}

    /** What the chosen call does. */
    enum Fault {
        NONE,
        FAIL,
        THROW,
        SLOW,
        CANCEL,
        RESET,
        SHORT
    }

    /** Migrates and looks at what came of it; answers how many calls there were. */
    static int run(LiveRig rig, MigrationRequest request, Fault fault, int chosen, Random random) {
        CompletableFuture<Migration> started = new CompletableFuture<>();
        CompletableFuture<Boolean> accepted = new CompletableFuture<>();
        CompletableFuture<Met> met = new CompletableFuture<>();
        AtomicInteger calls = new AtomicInteger();
        rig.intercept((device, call) -> {
            write(rig, random, device, call);
            if (calls.getAndIncrement() == chosen) {
                met.complete(new Met(started.join().phase(), call));
                act(fault, rig, started, accepted, device, call);
            }
        });
        Migration migration = rig.service.start(request, MigrationListener.NONE);
        started.complete(migration);
        MigrationReport report = MigrationRig.report(migration);
        rig.intercept(LiveDriver.Interceptor.NONE);

        rig.assertNoSessions();
        requireOneSide(rig, report, fault);
        requireFirst(report, fault);
        if (met.isDone() && report.failure().isEmpty()) {
            requireHarmless(report, fault, met.join());
        }
        if (accepted.isDone()) {
            Result otherwise = report.dryRun() ? Result.PASSED : Result.COMPLETED;
            assertThat(report.result()).isEqualTo(accepted.join() ? Result.CANCELLED : otherwise);
        }
        return calls.get();
    }

    private static void act(
            Fault fault,
            LiveRig rig,
            CompletableFuture<Migration> started,
            CompletableFuture<Boolean> accepted,
            String device,
            String call)
            throws DeviceException {
        switch (fault) {
            case NONE -> {
                // All goes well.
            }
            case FAIL -> throw new DeviceException(Errno.EIO, MARK + " in " + device + " " + call);
            case THROW -> throw new NoClassDefFoundError(MARK + " in " + device + " " + call);
            case SLOW -> rig.clock.advance(Duration.ofHours(1));
            case CANCEL -> accepted.complete(started.join().cancel());
            case RESET -> reset(rig, device);
            case SHORT -> {
                if (LiveDriver.Short.CALLS.contains(call)) {
                    throw new LiveDriver.Short();
                }
            }
        }
    }

    /** A guest resets a device of its own while it runs. */
    private static void reset(LiveRig rig, String device) throws DeviceException {
        for (LiveDriver source : rig.sources) {
            if (source.device.id.equals(device) && rig.sourceGuest.running) {
                source.device.reset();
            }
        }
    }

    /** While the guest runs, its processors and its devices write; devices until they are stopped. */
    private static void write(LiveRig rig, Random random, String device, String call) {
        if (rig.sourceGuest.running && !call.equals("pause")) {
            synchronized (random) {
                rig.sourceGuest.store(random.nextInt(LiveRig.MEMORY), random.nextInt());
            }
        }
        for (int i = 0; i < rig.sources.size(); i++) {
            LiveDriver source = rig.sources.get(i);
            if (source.device.id.equals(device) && source.device.state.isRunning() && rig.sourceGuest.running) {
                synchronized (random) {
                    rig.dma(i, random.nextInt(LiveRig.MEMORY), random.nextInt());
                }
            }
        }
    }

    private static void requireOneSide(LiveRig rig, MigrationReport report, Fault fault) {
        boolean failedAfterCommit = report.failure().flatMap(Failure::phase).filter(p -> p == MigrationPhase.START)
                .isPresent();
        if (report.result() == Result.COMPLETED && fault == Fault.RESET) {
            // The reset came before the first look; the fresh device was migrated.
            assertThat(rig.destinationGuest.running).isTrue();
            assertThat(rig.sourceGuest.running).isFalse();
            assertThat(rig.destinationGuest.memory).isEqualTo(rig.sourceGuest.memory);
            rig.assertNothingLeft();
        } else if (report.result() == Result.COMPLETED) {
            rig.assertDestinationOwns();
        } else if (failedAfterCommit) {
            assertThat(rig.sourceGuest.running).isFalse();
            assertThat(rig.sources).noneMatch(source -> source.device.state.isRunning());
            assertThat(report.failure().orElseThrow().message()).contains("owns the guest");
            rig.assertNothingLeft();
        } else {
            assertThat(rig.sourceGuest.running).isTrue();
            assertThat(rig.destinationGuest.running).isFalse();
            assertThat(rig.sources).allMatch(source -> source.device.state == DeviceState.RUNNING);
            rig.assertNoTrackingAndNoJobs();
            for (LiveDriver driver : rig.drivers()) {
                // A reset between the look at a state and the step from there is nothing that a caller could see.
                assertThat(driver.device.breaches)
                        .allMatch(breach -> fault == Fault.RESET && breach.endsWith(" in RUNNING"));
            }
            assertThat(rig.destinations)
                    .noneMatch(destination -> destination.device.state == DeviceState.RUNNING
                            && destination.device.text.startsWith("text:state"));
        }
    }

    /** It went well in spite of the fault: only where the way back or the end can do without the call. */
    private static void requireHarmless(MigrationReport report, Fault fault, Met met) {
        boolean harmless = switch (fault) {
            case NONE, CANCEL, RESET, SHORT -> true;
            case SLOW -> isUnwinding(report, met) || met.phase().compareTo(MigrationPhase.COMMIT) > 0;
            case FAIL, THROW -> canDoWithout(report, met);
        };
        assertThat(harmless).as("it may go well in spite of " + fault + " of " + met).isTrue();
    }

    private static boolean canDoWithout(MigrationReport report, Met met) {
        String call = met.call();
        boolean asked = call.equals("state");
        return switch (met.phase()) {
            case PRE_COPY -> isUnwinding(report, met)
                    && (asked || call.equals("close") || call.equals("PRE_COPY_TO_RUNNING"));
            case LOAD -> call.equals("close");
            case START -> asked || call.equals("tracker stop") || call.endsWith("_TO_RUNNING");
            case RELEASE -> true;
            case CHECK, CONNECT, SETUP, SWITCHOVER, READY, COMMIT -> false;
        };
    }

    /** A dry run goes back from where it was. */
    private static boolean isUnwinding(MigrationReport report, Met met) {
        return report.dryRun() && met.phase() == MigrationPhase.PRE_COPY;
    }

    private static void requireFirst(MigrationReport report, Fault fault) {
        if (report.failure().isEmpty()) {
            return;
        }
        Failure failure = report.failure().get();
        switch (fault) {
            case NONE -> throw new AssertionError("nothing was wrong, but " + failure);
            case FAIL, THROW -> assertThat(failure.message()).contains(MARK);
            case SLOW -> assertThat(failure.code()).isEqualTo(FailureCode.TIMEOUT);
            case CANCEL -> assertThat(failure.code()).isEqualTo(FailureCode.CANCELLED);
            case RESET -> assertThat(failure.code()).isEqualTo(FailureCode.DEVICE_FAILED);
            case SHORT -> assertThat(failure.message()).containsAnyOf("only a part of its memory", "did not take all");
        }
        assertThat(failure.code()).isNotEqualTo(FailureCode.INTERNAL);
        assertThat(failure.following()).as("told once").noneMatch(later -> later.message().equals(failure.message()));
    }
}
