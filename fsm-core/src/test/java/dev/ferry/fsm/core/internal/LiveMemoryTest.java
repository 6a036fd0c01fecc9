// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.IovaRange;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.Decision;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationPlan;
import dev.ferry.migration.MigrationReport;
import java.time.Duration;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The guest's memory: in rounds while it runs, or as a whole while it is paused; the clock stands still. */
class LiveMemoryTest {

    private static final int PAGE = LiveRig.PAGE;

    /** How often a device was asked for its size when its data of the first round were read. */
    private static final int ASKED_WHEN_READ = 2;

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldCarryMemoryWhileTheGuestRunsAndOnlyWhatWasWrittenAgainDuringTheDowntime(boolean mapped) {
        try (LiveRig rig = new LiveRig(1)) {
            rig.sourceGuest.mapped = mapped;
            rig.sources.get(0).device.once(Arc.PRE_COPY_TO_PRE_COPY_P2P, () -> {
                rig.sourceGuest.store(5 * PAGE, 77);
                rig.dma(0, 9 * PAGE + 1, 78);
            });

            MigrationReport report = rig.migrate();

            assertThat(report.failure()).isEmpty();
            rig.assertDestinationOwns();
            rig.assertNoSessions();
            assertThat(rig.destinationGuest.memory[5 * PAGE]).isEqualTo((byte) 77);
            assertThat(rig.destinationGuest.memory[9 * PAGE + 1]).isEqualTo((byte) 78);
            assertThat(report.memory())
                    .isEqualTo(new MigrationReport.Memory(LiveRig.MEMORY, LiveRig.MEMORY, 2 * PAGE, 1));
            assertThat(rig.sourceGuest.reads == 0).isEqualTo(mapped);
            assertThat(rig.destinationGuest.configurations)
                    .containsEntry("host2/vf0", "config of host1/vf0");
        }
    }

    @Test
    void shouldKeepTheDataOfDevicesApartFromEachOtherAndFromMemoryThatIsNotMapped() {
        try (LiveRig rig = new LiveRig(2)) {
            CountDownLatch asked = new CountDownLatch(2 * ASKED_WHEN_READ);
            CyclicBarrier both = new CyclicBarrier(2);
            rig.sources.forEach(source -> source.device.endlessDirtyBytes = 1);
            rig.intercept((name, call) -> {
                switch (call) {
                    case "stopCopySize" -> asked.countDown();
                    // The buffer of the memory is given back after those of the devices, all read to their ends.
                    case "memory read" -> MigrationTest.join(asked);
                    case "write" -> {
                        if (!rig.sourceGuest.running) {
                            LiveRig.meet(both);
                        }
                    }
                    default -> {}
                }
            });

            MigrationReport report = rig.migrate();

            assertThat(report.failure()).isEmpty();
            assertThat(report.memory().rounds()).isEqualTo(1);
            rig.assertDestinationOwns();
        }
    }

    @Test
    void shouldCarryAllMemoryDuringTheDowntimeWhenADeviceCannotTrack() {
        try (LiveRig rig = new LiveRig(2)) {
            rig.sources.get(1).tracked = false;

            MigrationReport report = rig.migrate();

            rig.assertDestinationOwns();
            assertThat(report.memory()).isEqualTo(new MigrationReport.Memory(LiveRig.MEMORY, 0, LiveRig.MEMORY, 0));
            assertThat(Decisions.messages(report, Decision.Kind.TRACKING))
                    .singleElement()
                    .asString()
                    .contains("All 262144 bytes", "host1/vf1 cannot tell which pages it writes");
            assertThat(rig.sourceGuest.tracker.starts).isZero();
        }
    }

    @Test
    void shouldSayBeforeTheStartHowMemoryIsCarriedAndWhatItCosts() {
        try (LiveRig rig = new LiveRig(2)) {
            MigrationPlan plan = rig.service.plan(rig.request());
            assertThat(plan.findings()).isEmpty();
            assertThat(plan.memory().tracked()).isTrue();
            assertThat(plan.memory().bytes()).isEqualTo(LiveRig.MEMORY);
            assertThat(plan.memory().pageBytes()).isEqualTo(PAGE);
            assertThat(plan.memory().bitmapBytes()).isEqualTo(8);
            assertThat(plan.memory().explanation())
                    .contains("again: the guest's processors, host1/vf0, host1/vf1 by a bit set; ");
            assertThat(plan.plannedDowntime()).as("nothing to go by").isEmpty();
            assertThat(plan.devices()).allSatisfy(device -> {
                assertThat(device.preCopy()).isTrue();
                assertThat(device.stateBytes()).hasValue(LiveRig.text(0).length());
                assertThat(device.tracker()).isPresent();
            });

            rig.sources.get(0).tracked = false;
            MigrationPlan untracked = rig.service.plan(
                    rig.request().withBandwidth(new Bandwidth(LiveRig.MEMORY)).withPreCopy(true));
            assertThat(untracked.memory().tracked()).isFalse();
            assertThat(untracked.memory().explanation()).contains("host1/vf0 cannot tell");
            assertThat(untracked.plannedDowntime().orElseThrow())
                    .as("all memory at the limit")
                    .isBetween(Duration.ofMillis(999), Duration.ofMillis(1001));
            assertThat(rig.sources.get(0).device.arcs).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldWaitForAPlanThatAsksADeviceUntilItIsCancelled(boolean cancelled) throws Exception {
        try (LiveRig rig = new LiveRig(1)) {
            Halt halt = new Halt();
            Thread planning = new Thread(() -> rig.service.plan(rig.request()));
            rig.intercept((device, call) -> {
                if (call.equals("stopCopySize") && Thread.currentThread() == planning) {
                    halt.here();
                }
            });
            planning.start();
            halt.awaitReached();

            Migration migration = rig.service.start(rig.request(), MigrationListener.NONE);
            MigrationRig.await("the migration to wait", () -> isDone(migration) || isWaitingForAnAnswer());
            if (cancelled) {
                assertThat(migration.cancel()).isTrue();
                MigrationReport report = MigrationRig.report(migration);
                assertThat(report.result()).isEqualTo(MigrationReport.Result.CANCELLED);
                assertThat(report.failure().orElseThrow().following()).as("it is not busy").isEmpty();
            }
            halt.goOn();
            planning.join();

            if (!cancelled) {
                assertThat(MigrationRig.report(migration).failure()).isEmpty();
                rig.assertDestinationOwns();
            }
        }
    }

    @Test
    void shouldAskInAPlanOnlyWhatMayBeAskedAtAnyTimeWhenAMigrationUsesAll() {
        try (LiveRig rig = new LiveRig(2)) {
            Set<String> asked = ConcurrentHashMap.newKeySet();
            Thread planning = new Thread(() -> rig.service.plan(rig.request()));
            rig.intercept((device, call) -> {
                if (Thread.currentThread() == planning) {
                    asked.add(call);
                }
            });
            MigrationReport report = MigrationRig.report(rig.service.start(rig.request(), event -> {
                if (event instanceof MigrationEvent.PhaseStarted now && now.phase() == MigrationPhase.SWITCHOVER) {
                    planning.start();
                    MigrationRig.await("the plan", () -> planning.getState() == Thread.State.TERMINATED);
                }
            }));

            assertThat(report.failure()).isEmpty();
            assertThat(asked).containsExactlyInAnyOrder("ranges", "dirtyTracker", "tracker capabilities");
        }
    }

    private static boolean isWaitingForAnAnswer() {
        return Thread.getAllStackTraces().values().stream()
                .flatMap(Stream::of)
                .anyMatch(frame -> frame.getMethodName().equals("awaitAnswer"));
    }

    private static boolean isDone(Migration migration) {
        return migration.result().toCompletableFuture().isDone();
    }

    @Test
    void shouldNotTakeMoreMemoryForTheBitmapThanConfigured() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.values.bitmapMib = 1;
            rig.service.modified(rig.values);
            rig.sourceGuest.ranges = List.of(new IovaRange(0, 64L << 30));
            assertThat(rig.service.plan(rig.request()).memory().explanation())
                    .contains("would take 2097152 bytes of the 1048576 allowed", "bitmap.mib");
        }
    }

    @Test
    void shouldRefuseMemoryThatNoMachineHas() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.sourceGuest.ranges = List.of(new IovaRange(0, 1L << 62));
            assertThat(rig.service.plan(rig.request()).memory().explanation())
                    .contains("would take 140737488355328 bytes of the");

            rig.sourceGuest.ranges = List.of(new IovaRange(0, Long.MAX_VALUE));
            rig.destinationGuest.ranges = rig.sourceGuest.ranges;
            assertThat(rig.service.plan(rig.request()).memory().explanation())
                    .contains("must name its memory ascending, without overlap and below 0x4000000000000000");
            assertThat(rig.migrate().failure().orElseThrow().code()).isEqualTo(FailureCode.GUEST_FAILED);
        }
    }

    @Test
    void shouldTakeEveryPageForWrittenWhenATrackerLosesItsRecord() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.sourceGuest.tracker.beforeReport = LiveRig.once(() -> {
                rig.sourceGuest.store(3 * PAGE, 99);
                rig.sourceGuest.tracker.loseRecordOnce = true;
            });

            MigrationReport report = rig.migrate();

            rig.assertDestinationOwns();
            assertThat(Decisions.messages(report, Decision.Kind.TRACKING_LOST)).hasSize(1);
            assertThat(report.memoryBytes()).isEqualTo(2L * LiveRig.MEMORY);
        }
    }

    @Test
    void shouldCarryMemoryInRoundsAlsoWhenNoDeviceHasPreCopy() {
        try (LiveRig rig = new LiveRig(
                2, EnumSet.of(MigrationFeature.STOP_COPY, MigrationFeature.P2P), LiveRig.MEMORY)) {
            MigrationReport report = rig.migrate();

            rig.assertDestinationOwns();
            assertThat(report.memory().preCopyBytes()).isEqualTo(LiveRig.MEMORY);
            assertThat(report.memory().switchoverBytes()).isZero();
            assertThat(Decisions.messages(report, Decision.Kind.PRE_COPY))
                    .singleElement()
                    .asString()
                    .startsWith("0 of 2 devices");
        }
    }

    @Test
    void shouldSayInAShortSentenceHowManyDevicesAreTracked() {
        try (LiveRig rig = new LiveRig(16)) {
            rig.sources.get(2).tracker.exact = false;
            assertThat(rig.service.plan(rig.request()).memory().explanation())
                    .contains(
                            "the guest's processors, host1/vf0, host1/vf1, host1/vf3 and 12 more by a bit set; ",
                            "host1/vf2 by a bit set (not exact");
            rig.sources.forEach(source -> source.tracked = false);
            assertThat(rig.service.plan(rig.request()).memory().explanation())
                    .contains("host1/vf0, host1/vf1, host1/vf2, host1/vf3 and 12 more cannot tell");
        }
    }
}
