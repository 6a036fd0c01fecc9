// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import java.time.Duration;
import java.util.EnumSet;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicInteger;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/**
 * Whatever one call of a driver, a guest or a tracker does, and whenever it is cancelled: exactly one side runs
 * afterwards, nothing is left behind, and what is reported is what happened first.
 */
class LiveFaultPropertyTest {

    private static final String MARK = "injected";

    /** What the chosen call does. */
    enum Fault {
        NONE,
        FAIL,
        THROW,
        SLOW,
        CANCEL
    }

    @Property(tries = 400)
    void shouldLeaveExactlyOneSideRunning(
            @ForAll Fault fault,
            @ForAll @IntRange(min = 1, max = 16) int devices,
            @ForAll @IntRange(min = 0, max = 400) int at,
            @ForAll boolean preCopyDevices,
            @ForAll boolean tracked,
            @ForAll @IntRange(min = 1, max = 40) int readLimit,
            @ForAll long seed) {
        Set<MigrationFeature> features = preCopyDevices
                ? MigrationRig.ALL
                : EnumSet.of(MigrationFeature.STOP_COPY, MigrationFeature.P2P);
        try (LiveRig rig = new LiveRig(devices, features, LiveRig.MEMORY)) {
            rig.sources.get(devices - 1).tracked = tracked;
            rig.sources.forEach(source -> source.readLimit = readLimit);
            CompletableFuture<Migration> started = new CompletableFuture<>();
            CompletableFuture<Boolean> accepted = new CompletableFuture<>();
            Random random = new Random(seed);
            AtomicInteger calls = new AtomicInteger();
            // Of few devices there are fewer calls to choose from.
            int chosen = at * devices / 4;
            rig.intercept((device, call) -> {
                write(rig, random, device, call);
                if (calls.getAndIncrement() == chosen) {
                    act(fault, rig, started, accepted, device + " " + call);
                }
            });

            Migration migration = rig.service.start(rig.request(), MigrationListener.NONE);
            started.complete(migration);
            MigrationReport report = MigrationRig.report(migration);

            requireOneSide(rig, report);
            requireFirst(report, fault);
            if (accepted.isDone()) {
                assertThat(report.result()).isEqualTo(accepted.join() ? Result.CANCELLED : Result.COMPLETED);
            }
        }
    }

    private static void act(
            Fault fault,
            LiveRig rig,
            CompletableFuture<Migration> started,
            CompletableFuture<Boolean> accepted,
            String call)
            throws DeviceException {
        switch (fault) {
            case NONE -> {
                // All goes well.
            }
            case FAIL -> throw new DeviceException(Errno.EIO, MARK + " in " + call);
            case THROW -> throw new NoClassDefFoundError(MARK + " in " + call);
            case SLOW -> rig.clock.advance(Duration.ofHours(1));
            case CANCEL -> accepted.complete(started.join().cancel());
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

    private static void requireOneSide(LiveRig rig, MigrationReport report) {
        boolean failedAfterCommit = report.failure().flatMap(Failure::phase).filter(p -> p == MigrationPhase.START)
                .isPresent();
        if (report.result() == Result.COMPLETED) {
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
            for (LiveDriver driver : rig.drivers()) {
                assertThat(driver.device.breaches).isEmpty();
            }
            assertThat(rig.destinations)
                    .noneMatch(destination -> destination.device.state == DeviceState.RUNNING
                            && destination.device.text.startsWith("text:state"));
        }
    }

    private static void requireFirst(MigrationReport report, Fault fault) {
        if (report.failure().isEmpty()) {
            return;
        }
        Failure failure = report.failure().get();
        switch (fault) {
            case NONE -> throw new AssertionError("nothing was wrong, but " + failure);
            // The check says of a device that it cannot be asked, and not why.
            case FAIL, THROW -> assertThat(failure.message()).containsAnyOf(MARK, "cannot be asked");
            case SLOW -> assertThat(failure.code()).isEqualTo(FailureCode.TIMEOUT);
            case CANCEL -> assertThat(failure.code()).isEqualTo(FailureCode.CANCELLED);
        }
        assertThat(failure.code()).isNotEqualTo(FailureCode.INTERNAL);
        assertThat(failure.following()).as("told once").noneMatch(later -> later.message().equals(failure.message()));
    }
}
