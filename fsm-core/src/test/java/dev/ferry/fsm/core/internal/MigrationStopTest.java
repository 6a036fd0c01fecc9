// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.function.Consumer;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.MethodSource;

/** Migrations that are cancelled, and drivers that leave, at every phase. */
class MigrationStopTest {

    @ParameterizedTest
    @EnumSource(MigrationPhase.class)
    void shouldRunOnTheSourceWhenCancelledBeforeCommit(MigrationPhase phase) {
        try (MigrationRig rig = new MigrationRig()) {
            List<Boolean> accepted = new ArrayList<>();

            MigrationReport report = migrate(rig, phase, migration -> accepted.add(migration.cancel()));

            if (phase.compareTo(MigrationPhase.COMMIT) <= 0) {
                assertThat(accepted).containsExactly(true);
                assertThat(report.result()).isEqualTo(MigrationReport.Result.CANCELLED);
                assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.CANCELLED);
                assertThat(report.failure().orElseThrow().phase()).contains(phase);
                rig.assertSourceOwns();
            } else {
                assertThat(accepted).containsExactly(false);
                assertThat(report.result()).isEqualTo(MigrationReport.Result.COMPLETED);
                rig.assertDestinationOwns();
            }
        }
    }

    @Test
    void shouldNotAcceptACancelWhenItHasEnded() {
        try (MigrationRig rig = new MigrationRig()) {
            Migration migration = rig.service.start(rig.request(), MigrationListener.NONE);
            MigrationRig.report(migration);

            assertThat(migration.cancel()).isFalse();
            assertThat(migration.phase()).isEqualTo(MigrationPhase.RELEASE);
        }
    }

    @Test
    void shouldReportFailedWhenACancelledMigrationCannotBringTheSourceBack() {
        try (MigrationRig rig = new MigrationRig()) {
            ScriptedDriver.Step broken = () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            };
            rig.source.on(Arc.STOP_COPY_TO_STOP, broken);
            rig.source.onReset = broken;

            MigrationReport report = migrate(rig, MigrationPhase.LOAD, Migration::cancel);

            assertThat(report.result()).isEqualTo(MigrationReport.Result.FAILED);
            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.DEVICE_FAILED);
            assertThat(report.failure().orElseThrow().following()).isNotEmpty();
        }
    }

    @Test
    void shouldReportFailedWhenACancelledMigrationHadToResetTheSource() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.on(Arc.STOP_COPY_TO_STOP, () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            });

            MigrationReport report = migrate(rig, MigrationPhase.LOAD, Migration::cancel);

            assertThat(report.result()).isEqualTo(MigrationReport.Result.FAILED);
            Failure failure = report.failure().orElseThrow();
            assertThat(failure.code()).isEqualTo(FailureCode.DEVICE_FAILED);
            assertThat(failure.phase()).contains(MigrationPhase.LOAD);
            assertThat(failure.device()).contains(MigrationRig.SOURCE);
            assertThat(failure.message()).contains("STOP_COPY to STOP failed: scripted");
            assertThat(failure.following())
                    .extracting(Failure::code)
                    .containsExactly(FailureCode.DEVICE_FAILED, FailureCode.CANCELLED);
            assertThat(failure.following().get(0).message()).contains("was reset", "is lost");
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.source.text).isEqualTo(ScriptedDriver.FRESH);
            assertThat(rig.sourceGuest.running).isTrue();
            rig.assertDestinationOwnsNothing();
        }
    }

    @Test
    void shouldBeCancelledWhenOnlyTheDestinationHadToBeStopped() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.onReset = () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            };

            MigrationReport report = migrate(rig, MigrationPhase.SWITCHOVER, Migration::cancel);

            assertThat(report.result()).isEqualTo(MigrationReport.Result.CANCELLED);
            assertThat(report.failure().orElseThrow().following()).isNotEmpty();
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.source.text).isEqualTo(MigrationRig.TEXT);
            assertThat(rig.sourceGuest.running).isTrue();
        }
    }

    static Stream<Arguments> departures() {
        return Stream.of(MigrationPhase.values())
                .filter(phase -> phase.compareTo(MigrationPhase.SETUP) >= 0)
                .flatMap(phase -> Stream.of(Arguments.of(phase, true), Arguments.of(phase, false)));
    }

    @ParameterizedTest
    @MethodSource("departures")
    void shouldEndInOrderBeforeADriverIsGone(MigrationPhase phase, boolean sourceLeaves) {
        try (MigrationRig rig = new MigrationRig()) {
            ScriptedDriver leaving = sourceLeaves ? rig.source : rig.destination;
            long service = sourceLeaves ? MigrationRig.SOURCE_SERVICE : MigrationRig.DESTINATION_SERVICE;
            CompletableFuture<Void> gone = new CompletableFuture<>();

            MigrationReport report = migrate(rig, phase, migration -> {
                Thread unregisters = new Thread(() -> {
                    rig.remove(leaving, service);
                    gone.complete(null);
                });
                unregisters.start();
                MigrationRig.awaitWaiting(unregisters);
            });

            gone.orTimeout(MigrationRig.LIMIT_SECONDS, TimeUnit.SECONDS).join();
            if (phase.compareTo(MigrationPhase.COMMIT) <= 0) {
                assertThat(report.result()).isEqualTo(MigrationReport.Result.FAILED);
                assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.PROVIDER_GONE);
                assertThat(report.failure().orElseThrow().device()).contains(leaving.id);
                assertThat(report.sourceState()).contains(DeviceState.RUNNING);
                rig.assertSourceOwns();
            } else {
                assertThat(report.result()).isEqualTo(MigrationReport.Result.COMPLETED);
                if (sourceLeaves) {
                    rig.assertDestinationOwnsAndSourceIsBlank();
                } else {
                    rig.assertDestinationOwns();
                }
            }
            assertThat(rig.service.device(leaving.id)).isEmpty();
        }
    }

    @Test
    void shouldReportTheDepartureFirstWhenTheLeavingDriverFailsBecauseOfIt() {
        try (MigrationRig rig = new MigrationRig()) {
            CompletableFuture<Void> gone = new CompletableFuture<>();
            rig.source.once(Arc.PRE_COPY_P2P_TO_STOP_COPY, () -> {
                Thread unregisters = new Thread(() -> {
                    rig.remove(rig.source, MigrationRig.SOURCE_SERVICE);
                    gone.complete(null);
                });
                unregisters.start();
                MigrationRig.awaitWaiting(unregisters);
                throw new DeviceException(Errno.EIO, "half taken apart");
            });

            MigrationReport report = rig.migrate();

            gone.orTimeout(MigrationRig.LIMIT_SECONDS, TimeUnit.SECONDS).join();
            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.PROVIDER_GONE);
            assertThat(report.failure().orElseThrow().following())
                    .extracting(Failure::code)
                    .containsExactly(FailureCode.DEVICE_FAILED);
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldLetGoAfterTheBoundWhenTheJobDoesNotEnd() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.values.drainSeconds = 1;
            rig.service.modified(rig.values);
            Halt halt = new Halt();
            rig.source.once(Arc.RUNNING_TO_PRE_COPY, halt::here);
            Migration migration = rig.service.start(rig.request(), MigrationListener.NONE);
            halt.awaitReached();

            rig.remove(rig.source, MigrationRig.SOURCE_SERVICE);

            assertThat(rig.service.device(MigrationRig.SOURCE)).isEmpty();
            halt.goOn();
            MigrationReport report = MigrationRig.report(migration);
            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.PROVIDER_GONE);
            rig.assertNoBreaches();
        }
    }

    @Test
    void shouldNotWaitForItselfWhenTheJobWithdrawsItsDriver() {
        try (MigrationRig rig = new MigrationRig()) {
            MigrationReport report = migrate(
                    rig, MigrationPhase.SETUP, migration -> rig.remove(rig.source, MigrationRig.SOURCE_SERVICE));

            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.PROVIDER_GONE);
            rig.assertNoBreaches();
        }
    }

    private static MigrationReport migrate(MigrationRig rig, MigrationPhase at, Consumer<Migration> action) {
        CompletableFuture<Migration> started = new CompletableFuture<>();
        Migration migration = rig.service.start(rig.request(), event -> {
            if (event instanceof MigrationEvent.PhaseStarted phase && phase.phase() == at) {
                action.accept(started.orTimeout(MigrationRig.LIMIT_SECONDS, TimeUnit.SECONDS).join());
            }
        });
        started.complete(migration);
        return MigrationRig.report(migration);
    }
}
