// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Finding;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import java.net.URL;
import java.net.URLClassLoader;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** A migration as a job: what its listener is told, which thread it gets, and what it keeps from others. */
class MigrationJobTest {

    @Test
    void shouldTellPhasesArcsAndEndInOrder() {
        try (MigrationRig rig = new MigrationRig()) {
            List<MigrationEvent> events = new ArrayList<>();
            Migration migration = rig.service.start(rig.request(), events::add);
            MigrationReport report = MigrationRig.report(migration);

            assertThat(events).allMatch(event -> event.migration().equals(migration.id()));
            assertThat(events.stream()
                            .filter(MigrationEvent.PhaseStarted.class::isInstance)
                            .map(event -> ((MigrationEvent.PhaseStarted) event).phase()))
                    .containsExactly(MigrationPhase.values());
            assertThat(events.stream()
                            .filter(MigrationEvent.ArcTaken.class::isInstance)
                            .map(event -> (MigrationEvent.ArcTaken) event)
                            .filter(arc -> arc.device().equals(MigrationRig.SOURCE))
                            .map(MigrationEvent.ArcTaken::arc))
                    .containsExactlyElementsOf(rig.source.arcs);
            assertThat(events.get(events.size() - 1)).isEqualTo(new MigrationEvent.Ended(migration.id(), report));
            assertThat(events).filteredOn(MigrationEvent.Progress.class::isInstance).isNotEmpty();
        }
    }

    @Test
    void shouldGoOnWhenTheListenerFails() {
        try (MigrationRig rig = new MigrationRig()) {
            Migration migration = rig.service.start(rig.request(), event -> {
                throw new IllegalStateException("scripted");
            });

            assertThat(MigrationRig.report(migration).result()).isEqualTo(MigrationReport.Result.COMPLETED);
        }
    }

    @Test
    void shouldFreeDevicesAndListBeforeTheResult() {
        try (MigrationRig rig = new MigrationRig()) {
            Migration migration = rig.service.start(rig.request(), MigrationListener.NONE);
            List<Integer> running = new ArrayList<>();
            List<Finding> findings = new ArrayList<>();
            migration.result()
                    .thenAccept(report -> {
                        running.add(rig.service.migrations().size());
                        findings.addAll(rig.service.check(rig.request()));
                    })
                    .toCompletableFuture()
                    .join();

            assertThat(running).containsExactly(0);
            assertThat(findings).extracting(Finding::code).containsExactly(Finding.Code.SOURCE_NOT_RUNNING);
        }
    }

    @Test
    void shouldRefuseASecondJobOnABusyDevice() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            Halt halt = new Halt();
            rig.source.once(Arc.RUNNING_TO_PRE_COPY, halt::here);
            Migration first = rig.service.start(rig.request(), MigrationListener.NONE);
            halt.awaitReached();

            assertThat(rig.service.migrations()).containsExactly(first);
            assertThat(rig.service.check(rig.request()))
                    .extracting(Finding::code)
                    .containsExactly(Finding.Code.DEVICE_BUSY, Finding.Code.DEVICE_BUSY);
            MigrationReport second = rig.migrate();
            assertThat(second.result()).isEqualTo(MigrationReport.Result.FAILED);
            assertThat(second.failure().orElseThrow().code()).isEqualTo(FailureCode.DEVICE_BUSY);
            assertThat(SaveAndRestoreTest.failureOf(() -> rig.service.setState(MigrationRig.SOURCE, DeviceState.STOP))
                            .code())
                    .isEqualTo(FailureCode.DEVICE_BUSY);

            halt.goOn();
            assertThat(MigrationRig.report(first).result()).isEqualTo(MigrationReport.Result.COMPLETED);
            rig.assertDestinationOwns();
        }
    }

    @Test
    void shouldWaitForItsTurnWhenAllThreadsAreTaken() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.values.parallel = 1;
            rig.service.modified(rig.values);
            CountDownLatch goOn = new CountDownLatch(1);
            rig.source.once(Arc.RUNNING_TO_PRE_COPY, () -> MigrationTest.join(goOn));
            Migration first = rig.service.start(rig.request(), MigrationListener.NONE);
            Migration second = rig.service.start(rig.request(), MigrationListener.NONE);
            assertThat(rig.service.migrations()).containsExactly(first, second);

            assertThat(second.cancel()).isTrue();
            goOn.countDown();

            assertThat(MigrationRig.report(first).result()).isEqualTo(MigrationReport.Result.COMPLETED);
            assertThat(MigrationRig.report(second).result()).isEqualTo(MigrationReport.Result.CANCELLED);
            rig.assertDestinationOwns();
        }
    }

    @Test
    void shouldNotCountTheWaitForAThread() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.values.parallel = 1;
            rig.service.modified(rig.values);
            CountDownLatch goOn = new CountDownLatch(1);
            rig.source.once(Arc.RUNNING_TO_PRE_COPY, () -> MigrationTest.join(goOn));
            Migration first = rig.service.start(rig.request(), MigrationListener.NONE);
            Duration allowed = Duration.ofMinutes(5);
            Migration second = rig.service.start(rig.request().withTimeout(allowed), MigrationListener.NONE);
            assertThat(first.cancel()).isTrue();
            rig.clock.pause(allowed.toNanos());
            goOn.countDown();

            MigrationReport report = MigrationRig.report(second);

            assertThat(report.failure()).isEmpty();
            assertThat(report.total()).isLessThan(allowed);
        }
    }

    @Test
    void shouldNotKeepTheClassLoaderOfTheCaller() throws Exception {
        Thread caller = Thread.currentThread();
        ClassLoader own = caller.getContextClassLoader();
        List<ClassLoader> seen = new CopyOnWriteArrayList<>();
        try (MigrationRig rig = new MigrationRig();
                URLClassLoader foreign = new URLClassLoader(new URL[0])) {
            caller.setContextClassLoader(foreign);
            MigrationRig.report(rig.service.start(
                    rig.request(), event -> seen.add(Thread.currentThread().getContextClassLoader())));
        } finally {
            caller.setContextClassLoader(own);
        }
        assertThat(seen).isNotEmpty().containsOnlyNulls();
    }

    @Test
    void shouldCancelAndWaitWhenTheServiceStops() {
        MigrationRig rig = new MigrationRig();
        rig.values.chunkKib = 4;
        CountDownLatch inside = new CountDownLatch(1);
        rig.source.once(Arc.RUNNING_TO_PRE_COPY, () -> {
            inside.countDown();
            // Until the service is being stopped.
            MigrationRig.await("the service to stop", () -> isStopping(rig));
        });
        Migration migration = rig.service.start(rig.request(), MigrationListener.NONE);
        MigrationTest.join(inside);

        rig.close();

        assertThat(migration.result().toCompletableFuture()).isDone();
        assertThat(MigrationRig.report(migration).result()).isEqualTo(MigrationReport.Result.CANCELLED);
        rig.assertSourceOwns();
        assertThatIllegalStateException()
                .isThrownBy(() -> rig.service.start(rig.request(), MigrationListener.NONE))
                .withMessageContaining("being stopped");
    }

    private static boolean isStopping(MigrationRig rig) {
        try {
            rig.service.setState("nowhere", DeviceState.RUNNING);
            return false;
        } catch (dev.ferry.migration.MigrationException e) {
            return e.failure().code() == FailureCode.CANCELLED;
        }
    }
}
