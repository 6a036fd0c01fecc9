// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.DevicePair;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Finding;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import java.util.ArrayList;
import java.util.Collections;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Several devices of one guest move together. */
class ManyDevicesTest {

    private static final Set<MigrationFeature> WITHOUT_PRE_COPY =
            EnumSet.of(MigrationFeature.STOP_COPY, MigrationFeature.P2P);

    @ParameterizedTest
    @ValueSource(ints = {2, 3, 16, 100})
    void shouldMoveAllDevices(int devices) {
        try (LiveRig rig = new LiveRig(devices)) {
            MigrationReport report = rig.migrate();

            assertThat(report.failure()).isEmpty();
            assertThat(report.devices()).hasSize(devices).allSatisfy(device -> {
                assertThat(device.sourceState()).contains(DeviceState.STOP);
                assertThat(device.destinationState()).contains(DeviceState.RUNNING);
                assertThat(device.preCopyBytes()).isEqualTo(3);
                assertThat(device.steps()).isNotEmpty();
            });
            rig.assertDestinationOwns();
            rig.assertNoSessions();
            assertThat(rig.destinationGuest.configurations).hasSize(devices);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldQuiesceAllBeforeAnyStopsAndTheOtherWayRound(boolean preCopy) {
        try (LiveRig rig = new LiveRig(4)) {
            List<String> seen = Collections.synchronizedList(new ArrayList<>());
            List<String> atSource = Collections.synchronizedList(new ArrayList<>());
            rig.intercept((device, call) -> {
                seen.add(call);
                if (device.startsWith("host1")) {
                    atSource.add(call);
                }
            });

            rig.migrate(rig.request().withPreCopy(preCopy));

            String quiesce = preCopy ? "PRE_COPY_TO_PRE_COPY_P2P" : "RUNNING_TO_RUNNING_P2P";
            String stop = preCopy ? "PRE_COPY_P2P_TO_STOP_COPY" : "RUNNING_P2P_TO_STOP";
            assertThat(atSource.lastIndexOf(quiesce)).isPositive().isLessThan(atSource.indexOf(stop));
            assertThat(seen.indexOf("pause")).isLessThan(seen.lastIndexOf(quiesce) - 3);
            assertThat(seen.lastIndexOf("STOP_TO_RUNNING_P2P")).isLessThan(seen.indexOf("RUNNING_P2P_TO_RUNNING"));
            assertThat(seen.lastIndexOf("RUNNING_P2P_TO_RUNNING")).isLessThan(seen.indexOf("resume"));
        }
    }

    @Test
    void shouldQuiesceAllBeforeAnyStopsAlsoWhereOnlySomeSaveBeforehand() {
        try (LiveRig rig = new LiveRig(4)) {
            for (int i = 4; i < 8; i++) {
                rig.addPair(WITHOUT_PRE_COPY);
            }
            List<String> seen = Collections.synchronizedList(new ArrayList<>());
            CyclicBarrier together = new CyclicBarrier(8);
            Set<String> quiescing = Set.of("PRE_COPY_TO_PRE_COPY_P2P", "RUNNING_TO_RUNNING_P2P");
            rig.intercept((device, call) -> {
                if (device.startsWith("host1")) {
                    seen.add(call);
                    if (quiescing.contains(call)) {
                        // The guest waits for one pass of all, not for one of each kind.
                        LiveRig.meet(together);
                    }
                }
            });

            assertThat(rig.migrate().failure()).isEmpty();

            int quiesced = Math.max(
                    seen.lastIndexOf("PRE_COPY_TO_PRE_COPY_P2P"), seen.lastIndexOf("RUNNING_TO_RUNNING_P2P"));
            assertThat(seen.indexOf("RUNNING_P2P_TO_STOP")).isGreaterThan(quiesced);
            assertThat(seen.indexOf("PRE_COPY_P2P_TO_STOP_COPY")).isGreaterThan(quiesced);
            assertThat(Collections.frequency(seen, "RUNNING_TO_RUNNING_P2P")).isEqualTo(4);
            assertThat(Collections.frequency(seen, "PRE_COPY_TO_PRE_COPY_P2P")).isEqualTo(4);
            rig.assertDestinationOwns();
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"PRE_COPY_P2P_TO_STOP_COPY", "read", "RESUMING_TO_STOP", "RUNNING_P2P_TO_RUNNING"})
    void shouldWorkOnAllDevicesAtTheSameTime(String call) {
        int devices = 8;
        try (LiveRig rig = new LiveRig(devices)) {
            rig.sourceGuest.tracked = false;
            CyclicBarrier together = new CyclicBarrier(devices);
            Set<String> met = ConcurrentHashMap.newKeySet();
            rig.intercept((device, made) -> {
                if (made.equals(call) && met.add(device)) {
                    LiveRig.meet(together);
                }
            });

            assertThat(rig.migrate(rig.request()).failure()).isEmpty();
            assertThat(met).hasSize(devices);
        }
    }

    @Test
    void shouldNotWaitForThePreCopyOfAnotherMigration() {
        int devices = 4;
        try (LiveRig rig = new LiveRig(2 * devices)) {
            rig.values.threads = devices - 1;
            rig.service.modified(rig.values);
            CountDownLatch reading = new CountDownLatch(devices);
            CountDownLatch goOn = new CountDownLatch(1);
            CyclicBarrier together = new CyclicBarrier(devices);
            Set<String> slow = Set.of("host1/vf0", "host1/vf1", "host1/vf2", "host1/vf3");
            rig.intercept((device, call) -> {
                if (slow.contains(device) && call.equals("read") && goOn.getCount() > 0) {
                    reading.countDown();
                    MigrationTest.join(goOn);
                } else if (call.equals("RESUMING_TO_STOP") && goOn.getCount() > 0) {
                    LiveRig.meet(together);
                }
            });
            Migration other = rig.service.start(pairs(0, devices), MigrationListener.NONE);
            MigrationTest.join(reading);

            Migration switching = rig.service.start(pairs(devices, devices), MigrationListener.NONE);

            assertThat(MigrationRig.report(switching).failure()).isEmpty();
            goOn.countDown();
            assertThat(MigrationRig.report(other).failure()).isEmpty();
        }
    }

    private static MigrationRequest pairs(int first, int count) {
        List<DevicePair> pairs = new ArrayList<>();
        for (int i = first; i < first + count; i++) {
            pairs.add(new DevicePair("host1/vf" + i, "host2/vf" + i));
        }
        return MigrationRequest.of(pairs);
    }

    @Test
    void shouldHoldNoMoreBuffersThanThreads() {
        try (LiveRig rig = new LiveRig(64)) {
            rig.values.threads = 2;
            rig.service.modified(rig.values);

            MigrationReport report = rig.migrate();

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            long chunk = rig.values.chunkKib * 1024L;
            assertThat(report.bufferBytes())
                    .as("a buffer and a report for each of three threads, one for memory, and the bitmap")
                    .isLessThanOrEqualTo(3 * (chunk + 16) + 1024 * 1024 + 8);
        }
    }

    @Test
    void shouldRefuseSeveralDevicesWithoutP2p() {
        try (LiveRig rig = new LiveRig(
                2, EnumSet.of(MigrationFeature.STOP_COPY, MigrationFeature.PRE_COPY), LiveRig.MEMORY)) {
            assertThat(rig.service.check(rig.request()))
                    .extracting(Finding::code)
                    .containsOnly(Finding.Code.P2P_MISSING)
                    .hasSize(4);
            MigrationReport report = rig.migrate();
            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.CHECK_FAILED);
            assertThat(report.failure().orElseThrow().message()).contains("it lacks P2P", "unplug it");
            assertThat(rig.sources.get(0).device.arcs).isEmpty();
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldRefuseADeviceThatIsNamedTwice() {
        try (LiveRig rig = new LiveRig(2)) {
            MigrationRequest request = MigrationRequest.of(
                    List.of(new DevicePair("host1/vf0", "host2/vf0"), new DevicePair("host1/vf1", "host2/vf0")));
            assertThat(rig.service.check(request))
                    .singleElement()
                    .satisfies(finding -> {
                        assertThat(finding.code()).isEqualTo(Finding.Code.DUPLICATE_DEVICE);
                        assertThat(finding.device()).isEqualTo("host2/vf0");
                    });
        }
    }

    @Test
    void shouldReportTheFirstFailureAndTheOthersBehindIt() {
        try (LiveRig rig = new LiveRig(4)) {
            CyclicBarrier together = new CyclicBarrier(4);
            for (LiveDriver destination : rig.destinations) {
                destination.device.once(Arc.RESUMING_TO_STOP, () -> {
                    LiveRig.meet(together);
                    throw new DeviceException(Errno.EIO, "scripted");
                });
            }

            Failure failure = rig.migrate().failure().orElseThrow();

            assertThat(failure.code()).isEqualTo(FailureCode.DEVICE_FAILED);
            assertThat(failure.following()).hasSize(3).allMatch(later -> later.message().contains("scripted"));
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldStartTheOtherDevicesWhenOneDoesNotStartButNotTheGuest() {
        try (LiveRig rig = new LiveRig(3)) {
            rig.destinations.get(0).device.on(Arc.RUNNING_P2P_TO_RUNNING, () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            });

            MigrationReport report = rig.migrate();

            Failure failure = report.failure().orElseThrow();
            assertThat(failure.phase()).contains(MigrationPhase.START);
            assertThat(failure.message()).contains("owns the guest", "left in RUNNING_P2P, RUNNING, RUNNING");
            assertThat(rig.destinationGuest.running).isFalse();
            assertThat(rig.sourceGuest.running).isFalse();
            assertThat(rig.sources).allMatch(source -> source.device.state == DeviceState.STOP);
            rig.assertNothingLeft();
            rig.assertNoSessions();
        }
    }

    @Test
    void shouldCompleteWhenOneDeviceStartsAtTheSecondAttempt() {
        try (LiveRig rig = new LiveRig(3)) {
            rig.destinations.get(1).device.once(Arc.RUNNING_P2P_TO_RUNNING, () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            });

            MigrationReport report = rig.migrate();

            assertThat(report.result()).isEqualTo(MigrationReport.Result.COMPLETED);
            rig.assertDestinationOwns();
        }
    }

    @ParameterizedTest
    @EnumSource(MigrationPhase.class)
    void shouldEndInOneOfTheTwoWaysWhenCancelledInAnyPhase(MigrationPhase phase) {
        try (LiveRig rig = new LiveRig(4)) {
            CompletableFuture<Migration> started = new CompletableFuture<>();
            List<Boolean> accepted = new ArrayList<>();
            Migration migration = rig.service.start(rig.request(), event -> {
                if (event instanceof MigrationEvent.PhaseStarted now && now.phase() == phase) {
                    accepted.add(started.join().cancel());
                }
            });
            started.complete(migration);
            MigrationReport report = MigrationRig.report(migration);

            if (accepted.get(0)) {
                assertThat(phase).isLessThanOrEqualTo(MigrationPhase.COMMIT);
                assertThat(report.result()).isEqualTo(Result.CANCELLED);
                rig.assertSourceOwns();
            } else {
                assertThat(phase).isGreaterThan(MigrationPhase.COMMIT);
                assertThat(report.result()).isEqualTo(Result.COMPLETED);
                rig.assertDestinationOwns();
            }
            rig.assertNoSessions();
        }
    }

    @Test
    void shouldEndInOrderWhenTheDriverOfOneDeviceLeaves() {
        try (LiveRig rig = new LiveRig(3)) {
            LiveDriver leaving = rig.sources.get(1);
            CompletableFuture<Void> gone = new CompletableFuture<>();
            rig.destinations.get(0).device.once(Arc.RESUMING_TO_STOP, () -> {
                Thread unregisters = new Thread(() -> {
                    rig.service.removeDriver(leaving, MigrationRig.properties(leaving.device.id, 101));
                    leaving.device.gone = true;
                    gone.complete(null);
                });
                unregisters.start();
                MigrationRig.awaitWaiting(unregisters);
            });

            MigrationReport report = rig.migrate();

            gone.orTimeout(MigrationRig.LIMIT_SECONDS, TimeUnit.SECONDS).join();
            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.PROVIDER_GONE);
            assertThat(report.failure().orElseThrow().device()).contains("host1/vf1");
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldNotWaitForADriverThatWithdrawsItselfInACall() {
        try (LiveRig rig = new LiveRig(3)) {
            rig.values.drainSeconds = 300;
            rig.service.modified(rig.values);
            LiveDriver leaving = rig.sources.get(1);
            leaving.device.once(Arc.PRE_COPY_TO_PRE_COPY_P2P, () -> rig.service.removeDriver(
                    leaving, MigrationRig.properties(leaving.device.id, 101)));

            MigrationReport report = rig.migrate();

            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.PROVIDER_GONE);
            assertThat(rig.sources.get(0).device.state).isEqualTo(DeviceState.RUNNING);
        }
    }
}
