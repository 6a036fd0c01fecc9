// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the departure of a driver waits for, and how it leaves the device. */
class DriverDepartureTest {

    @Test
    void shouldWaitForTheJobEvenWhenTheThreadIsInterrupted() {
        try (MigrationRig rig = new MigrationRig()) {
            Halt halt = new Halt();
            rig.source.once(Arc.RUNNING_TO_PRE_COPY, halt::here);
            Migration migration = rig.service.start(rig.request(), MigrationListener.NONE);
            halt.awaitReached();
            AtomicBoolean stillInterrupted = new AtomicBoolean();
            Thread unregisters = new Thread(() -> {
                Thread.currentThread().interrupt();
                rig.remove(rig.source, MigrationRig.SOURCE_SERVICE);
                stillInterrupted.set(Thread.interrupted());
            });
            unregisters.start();
            MigrationRig.awaitWaiting(unregisters);
            halt.goOn();

            MigrationReport report = MigrationRig.report(migration);
            MigrationRig.await("the unregistration", () -> !unregisters.isAlive());

            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.PROVIDER_GONE);
            assertThat(stillInterrupted).isTrue();
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldNotWaitForAStuckJobAgainAtEachDriverWhenItStops() {
        try (MigrationRig rig = new MigrationRig()) {
            Halt halt = new Halt();
            Migration migration = stopBesideAStuckJob(rig, halt);

            rig.service.removeDriver(
                    rig.source, MigrationRig.properties(MigrationRig.SOURCE, MigrationRig.SOURCE_SERVICE));
            rig.service.removeDriver(
                    rig.destination,
                    MigrationRig.properties(MigrationRig.DESTINATION, MigrationRig.DESTINATION_SERVICE));

            // It gives up after a time: whoever had waited for it would find it done.
            assertThat(migration.result().toCompletableFuture()).as("the job nobody waits for").isNotDone();
            halt.goOn();
            assertThat(MigrationRig.report(migration).failure().orElseThrow().code())
                    .isEqualTo(FailureCode.PROVIDER_GONE);
        }
    }

    @Test
    void shouldWaitForACallUnderWayAlsoAfterAStuckJobTookAllTheTime() {
        try (MigrationRig rig = new MigrationRig()) {
            Halt halt = new Halt();
            Migration migration = stopBesideAStuckJob(rig, halt);
            CountDownLatch asked = new CountDownLatch(1);
            rig.destination.onState = () -> {
                asked.countDown();
                halt.here();
            };
            Thread looks = new Thread(() -> rig.service.device(MigrationRig.DESTINATION));
            looks.start();
            MigrationTest.join(asked);

            long before = System.nanoTime();
            rig.service.removeDriver(
                    rig.destination,
                    MigrationRig.properties(MigrationRig.DESTINATION, MigrationRig.DESTINATION_SERVICE));

            assertThat(Duration.ofNanos(System.nanoTime() - before)).isGreaterThan(Duration.ofMillis(900));
            halt.goOn();
            MigrationRig.report(migration);
            MigrationRig.await("the call", () -> !looks.isAlive());
        }
    }

    /** The job has used up all the time for which the drivers are waited for. */
    private static Migration stopBesideAStuckJob(MigrationRig rig, Halt halt) {
        rig.source.once(Arc.RUNNING_TO_PRE_COPY, halt::here);
        Migration migration = rig.service.start(rig.request(), MigrationListener.NONE);
        halt.awaitReached();
        rig.values.drainSeconds = 1;
        rig.service.modified(rig.values);
        rig.service.deactivate();
        // A wait of its own would last this long now.
        rig.values.drainSeconds = 300;
        rig.service.modified(rig.values);
        return migration;
    }

    @Test
    void shouldWaitForACallThatNeedsNoReservation() {
        try (MigrationRig rig = new MigrationRig()) {
            Halt halt = new Halt();
            AtomicBoolean first = new AtomicBoolean(true);
            rig.source.onState = () -> {
                if (first.getAndSet(false)) {
                    halt.here();
                }
            };
            Thread looks = new Thread(rig.service::devices);
            looks.start();
            halt.awaitReached();
            Thread unregisters = new Thread(() -> rig.remove(rig.source, MigrationRig.SOURCE_SERVICE));
            unregisters.start();

            MigrationRig.awaitWaiting(unregisters);
            halt.goOn();

            MigrationRig.await("the unregistration", () -> !unregisters.isAlive() && !looks.isAlive());
            rig.assertNoBreaches();
        }
    }

    @Test
    void shouldNotWaitForTheCallInWhichADriverWithdrawsItself() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.values.drainSeconds = 300;
            rig.service.modified(rig.values);
            rig.source.onState = () -> {
                rig.source.onState = () -> {};
                rig.remove(rig.source, MigrationRig.SOURCE_SERVICE);
            };

            assertTimeoutPreemptively(
                    Duration.ofSeconds(MigrationRig.LIMIT_SECONDS), () -> rig.service.device(MigrationRig.SOURCE));

            assertThat(rig.service.device(MigrationRig.SOURCE)).isEmpty();
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"RUNNING", "STOP", "STOP_COPY", "RESUMING", "ERROR"})
    void shouldNotTouchADeviceThatAnotherDriverServesWhenTheSecondLeaves(DeviceState state) throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            // Both lead to the same hardware.
            rig.add(rig.source, 99);
            if (state == DeviceState.ERROR) {
                rig.source.state = state;
            } else {
                rig.service.setState(MigrationRig.SOURCE, state);
            }
            AtomicBoolean asked = new AtomicBoolean();
            rig.source.onState = () -> asked.set(true);

            rig.service.removeDriver(rig.source, MigrationRig.properties(MigrationRig.SOURCE, 99));

            assertThat(asked).isFalse();
            assertThat(rig.source.state).isEqualTo(state);
            assertThat(rig.source.text).isEqualTo(MigrationRig.TEXT);
        }
    }

    @ParameterizedTest
    @EnumSource(names = {"STOP", "STOP_COPY", "RESUMING", "ERROR"})
    void shouldLeaveADeviceRunningForItsNextDriver(DeviceState state) throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            if (state == DeviceState.ERROR) {
                rig.source.state = state;
            } else {
                rig.service.setState(MigrationRig.SOURCE, state);
            }

            rig.remove(rig.source, MigrationRig.SOURCE_SERVICE);

            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            rig.assertNoBreaches();
        }
    }

    @Test
    void shouldLeaveADeviceAsItIsThatItNeverUsedAndCannotAsk() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.state = DeviceState.STOP_COPY;
            rig.source.onState = () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            };

            List<String> errors = LogCapture.errorsOf(
                    Device.class, () -> rig.remove(rig.source, MigrationRig.SOURCE_SERVICE));

            assertThat(rig.source.state).isEqualTo(DeviceState.STOP_COPY);
            assertThat(rig.source.text).isEqualTo(MigrationRig.TEXT);
            assertThat(errors).singleElement().asString()
                    .contains("it stays in a state that cannot be asked", "take it to RUNNING, if nothing", "scripted");
        }
    }
}
