// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

class MigrationTest {

    @ParameterizedTest
    @MethodSource("dev.ferry.fsm.core.internal.MigrationRig#featureSets")
    void shouldMoveDeviceMemoryAndConfiguration(Set<MigrationFeature> features) {
        for (boolean preCopy : new boolean[] {true, false}) {
            try (MigrationRig rig = new MigrationRig(features)) {
                MigrationReport report = rig.migrate(rig.request().withPreCopy(preCopy));

                assertThat(report.failure()).isEmpty();
                assertThat(report.result()).isEqualTo(MigrationReport.Result.COMPLETED);
                rig.assertDestinationOwns();
                assertThat(rig.destinationGuest.low).isEqualTo(rig.sourceGuest.low);
                assertThat(rig.destinationGuest.high).isEqualTo(rig.sourceGuest.high);
                assertThat(rig.destinationGuest.config).isEqualTo("msi-x");
                assertThat(report.stateBytes()).isEqualTo(MigrationRig.TEXT.length());
                assertThat(report.memoryBytes()).isEqualTo(4096 + ScriptedGuest.LARGE);
                assertThat(report.sourceState()).contains(DeviceState.STOP);
                assertThat(report.destinationState()).contains(DeviceState.RUNNING);
                assertThat(report.downtime()).isPositive().isLessThanOrEqualTo(report.total());
                boolean usesPreCopy = preCopy && features.contains(MigrationFeature.PRE_COPY);
                Set<MigrationPhase> phases = EnumSet.allOf(MigrationPhase.class);
                if (!usesPreCopy) {
                    phases.remove(MigrationPhase.PRE_COPY);
                }
                assertThat(report.phases()).extracting(MigrationReport.Phase::phase).containsExactlyElementsOf(phases);
                assertThat(rig.source.arcs.contains(Arc.RUNNING_TO_PRE_COPY)).isEqualTo(usesPreCopy);
                assertThat(rig.source.hasOpenSession()).isFalse();
                assertThat(rig.destination.hasOpenSession()).isFalse();
            }
        }
    }

    @Test
    void shouldMigrateWithoutGuests() {
        try (MigrationRig rig = new MigrationRig()) {
            MigrationReport report = rig.migrate(MigrationRequest.of(MigrationRig.SOURCE, MigrationRig.DESTINATION));

            assertThat(report.result()).isEqualTo(MigrationReport.Result.COMPLETED);
            assertThat(report.memoryBytes()).isZero();
            assertThat(rig.destination.text).isEqualTo(MigrationRig.TEXT);
        }
    }

    @Test
    void shouldStopTheSourceOnlyAfterTheDestinationIsReadyToLoad() {
        try (MigrationRig rig = new MigrationRig()) {
            List<DeviceState> destinationAtPause = new ArrayList<>();
            rig.source.once(Arc.PRE_COPY_TO_PRE_COPY_P2P, () -> destinationAtPause.add(rig.destination.state));

            rig.migrate();

            assertThat(destinationAtPause).containsExactly(DeviceState.RESUMING);
        }
    }

    @Test
    void shouldEndPreCopyWhenTheDeviceNeverStopsChanging() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.endlessDirtyBytes = 1000;
            rig.source.text = "text:" + "x".repeat(1000);
            AtomicInteger reads = new AtomicInteger();
            rig.source.onRead = () -> {
                if (rig.source.state == DeviceState.PRE_COPY) {
                    reads.incrementAndGet();
                }
            };

            assertThat(rig.migrate().result()).isEqualTo(MigrationReport.Result.COMPLETED);
            assertThat(rig.destination.text).isEqualTo(rig.source.text);
            assertThat(reads).hasValue(1 + 16);
        }
    }

    @Test
    void shouldEndPreCopyWhenTheDeviceGivesNoneOfTheInitialDataItHas() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.text = "text:";
            rig.source.preCopyBytes = 0;
            rig.source.endlessInitialBytes = 5;

            assertThat(rig.migrate().result()).isEqualTo(MigrationReport.Result.COMPLETED);
        }
    }

    @Test
    void shouldMigrateBackToTheReleasedSourceAfterResettingIt() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.migrate();
            rig.sourceGuest.running = false;

            MigrationReport back = rig.migrate(MigrationRequest.of(MigrationRig.DESTINATION, MigrationRig.SOURCE));

            assertThat(back.result()).isEqualTo(MigrationReport.Result.COMPLETED);
            assertThat(rig.source.resets).hasValue(1);
            assertThat(rig.source.text).isEqualTo(MigrationRig.TEXT);
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.destination.state).isEqualTo(DeviceState.STOP);
        }
    }

    @Test
    void shouldResetAReleasedDeviceBeforeItRuns() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.migrate();
            assertThat(rig.source.text).isEqualTo(MigrationRig.TEXT);

            rig.service.setState(MigrationRig.SOURCE, DeviceState.RUNNING);

            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.source.text).isEqualTo(ScriptedDriver.FRESH);
            rig.service.setState(MigrationRig.SOURCE, DeviceState.STOP);
            assertThat(rig.source.resets).as("reset once, then an ordinary device").hasValue(1);
        }
    }

    @Test
    void shouldResetAReleasedDeviceAgainWhenItWasNotRunningAfterTheReset() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.migrate();
            rig.source.onState = () -> rig.source.state = DeviceState.STOP;
            Failure failure = SaveAndRestoreTest.failureOf(
                    () -> rig.service.setState(MigrationRig.SOURCE, DeviceState.RUNNING));
            assertThat(failure.message()).contains("after a reset it is STOP");
            rig.source.onState = () -> {};

            rig.service.setState(MigrationRig.SOURCE, DeviceState.RUNNING);

            assertThat(rig.source.resets).hasValue(2);
        }
    }

    static void join(CountDownLatch latch) {
        try {
            assertThat(latch.await(MigrationRig.LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }
}
