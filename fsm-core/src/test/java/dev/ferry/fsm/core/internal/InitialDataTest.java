// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.PrecopyInfo;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Convergence;
import dev.ferry.migration.Decision;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** The initial data of devices in pre-copy: acknowledged before the guest is paused, also after a re-initialisation. */
class InitialDataTest {

    @Test
    void shouldSwitchOverOnlyWhenTheDestinationHasLoadedTheInitialData() {
        try (LiveRig rig = new LiveRig(2)) {
            LiveDriver late = rig.sources.get(1);
            late.readLimit = 1;
            List<DeviceState> atPause = new ArrayList<>();
            List<MigrationEvent> events = new ArrayList<>();
            rig.sourceGuest.interceptor = (name, call) -> {
                if (call.equals("pause")) {
                    atPause.addAll(rig.destinations.stream().map(driver -> driver.device.state).toList());
                }
            };
            MigrationReport report = MigrationRig.report(rig.service.start(rig.request(), events::add));

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(atPause).containsExactly(DeviceState.RESUMING, DeviceState.RESUMING);
            assertThat(Decisions.messages(report, Decision.Kind.ACKNOWLEDGED))
                    .anyMatch(message -> message.contains("host2/vf0 has loaded"))
                    .anyMatch(message -> message.contains("host2/vf1 has loaded"));
            assertThat(Decisions.kinds(report).lastIndexOf(Decision.Kind.ACKNOWLEDGED))
                    .isLessThan(Decisions.kinds(report).indexOf(Decision.Kind.SWITCHOVER));
            rig.assertDestinationOwns();
        }
    }

    @Test
    void shouldAskForAnotherAcknowledgementAfterAReinitialization() {
        try (LiveRig rig = new LiveRig(1)) {
            LiveDriver driver = rig.sources.get(0);
            // Its memory needs a second round, in which the device announces new initial data, not read to their end.
            rig.writeFast();
            driver.answers.add(new PrecopyInfo(3, 0, false));
            driver.answers.add(new PrecopyInfo(10_000, 0, true));
            driver.answers.add(new PrecopyInfo(5, 0, false));
            driver.answers.add(new PrecopyInfo(0, 0, false));
            MigrationReport report = rig.migrate(rig.slowRequest()
                    .withConvergence(Convergence.DEFAULT.withOnStall(Convergence.OnStall.SWITCH_OVER)));

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(Decisions.kinds(report))
                    .containsSubsequence(
                            Decision.Kind.ACKNOWLEDGED,
                            Decision.Kind.REINITIALIZED,
                            Decision.Kind.ACKNOWLEDGED,
                            Decision.Kind.FORCED);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldNotWaitForEverForInitialData(boolean tracked) {
        try (LiveRig rig = new LiveRig(1)) {
            rig.sourceGuest.tracked = tracked;
            rig.sources.get(0).device.announceAndGiveNothing();

            MigrationReport report = rig.migrate();

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(Decisions.messages(report, Decision.Kind.UNACKNOWLEDGED))
                    .singleElement()
                    .asString()
                    .contains("5 bytes of initial data of host1/vf0", "5000 ms");
            assertThat(report.total()).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(6));
        }
    }

    @Test
    void shouldReadTheInitialDataOfADeviceThatAnnouncesAsMuchAsThereCanBe() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.sources.get(0).device.endlessDirtyBytes = Long.MAX_VALUE;

            MigrationReport report = rig.migrate();

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(Decisions.kinds(report))
                    .contains(Decision.Kind.ACKNOWLEDGED)
                    .doesNotContain(Decision.Kind.UNACKNOWLEDGED);
        }
    }

    @Test
    void shouldJudgeTheDowntimeAlsoWhenInitialDataDoNotCome() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.sources.get(0).device.announceAndGiveNothing();
            rig.writeFast();

            MigrationReport report = rig.migrate(rig.slowRequest());

            assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.NOT_CONVERGING);
            assertThat(Decisions.kinds(report))
                    .containsSubsequence(Decision.Kind.UNACKNOWLEDGED, Decision.Kind.STALL)
                    .doesNotContain(Decision.Kind.SWITCHOVER);
            rig.assertSourceOwns();
        }
    }

    @Test
    void shouldNotTakeTheTimeThatMemoryNeedsForSilenceOfADevice() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.sources.get(0).device.announceAndGiveNothing();
            rig.destinationGuest.interceptor = (name, call) -> rig.clock.advance(Duration.ofSeconds(20));
            giveAtQuestion(rig, 4, () -> {});

            MigrationReport report = rig.migrate();

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(Decisions.kinds(report))
                    .contains(Decision.Kind.ACKNOWLEDGED)
                    .doesNotContain(Decision.Kind.UNACKNOWLEDGED);
        }
    }

    @Test
    void shouldAskAgainWhileMemoryIsBeingCarried() {
        try (LiveRig rig = new LiveRig(1)) {
            CountDownLatch given = new CountDownLatch(1);
            List<Boolean> inTime = new CopyOnWriteArrayList<>();
            rig.sources.get(0).device.announceAndGiveNothing();
            giveAtQuestion(rig, 3, given::countDown);
            rig.destinationGuest.interceptor = (name, call) -> {
                if (call.equals("memory write")) {
                    inTime.add(isOver(given));
                }
            };

            MigrationReport report = rig.migrate();

            assertThat(inTime).containsOnly(true);
            assertThat(report.memory().rounds()).isEqualTo(1);
            assertThat(Decisions.kinds(report)).doesNotContain(Decision.Kind.UNACKNOWLEDGED);
            rig.assertDestinationOwns();
        }
    }

    @Test
    void shouldCarryOnWhenADeviceAnnouncesNewInitialDataAtTheEndOfARound() {
        try (LiveRig rig = new LiveRig(1)) {
            LiveDriver driver = rig.sources.get(0);
            driver.announces = true;
            rig.sourceGuest.tracker.beforeReport = LiveRig.once(() -> driver.answers.add(new PrecopyInfo(3, 0, true)));

            MigrationReport report = rig.migrate();

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(report.memory().rounds()).isEqualTo(2);
            assertThat(Decisions.kinds(report))
                    .containsSubsequence(
                            Decision.Kind.REINITIALIZED, Decision.Kind.ACKNOWLEDGED, Decision.Kind.SWITCHOVER);
        }
    }

    @ParameterizedTest
    @EnumSource(Convergence.OnStall.class)
    void shouldHonourNewInitialDataThatAreAnnouncedAfterTheDecision(Convergence.OnStall onStall) {
        try (LiveRig rig = new LiveRig(2)) {
            LiveDriver driver = rig.sources.get(1);
            driver.announces = true;
            rig.sourceGuest.interceptor = (name, call) -> {
                if (call.equals("pause")) {
                    driver.answers.add(new PrecopyInfo(9, 0, true));
                }
            };

            MigrationReport report =
                    rig.migrate(rig.request().withConvergence(Convergence.DEFAULT.withOnStall(onStall)));

            if (onStall == Convergence.OnStall.SWITCH_OVER) {
                assertThat(Decisions.messages(report, Decision.Kind.FORCED))
                        .singleElement()
                        .asString()
                        .contains("host1/vf1 announced new initial data");
                rig.assertDestinationOwns();
            } else {
                assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.NOT_CONVERGING);
                assertThat(report.failure().orElseThrow().message()).contains("host1/vf1 announced");
                assertThat(driver.device.arcs).doesNotContain(Arc.PRE_COPY_TO_PRE_COPY_P2P);
                rig.assertSourceOwns();
            }
        }
    }

    @Test
    void shouldNotAskDevicesDuringTheDowntimeThatAnnounceNothing() {
        try (LiveRig rig = new LiveRig(2)) {
            List<String> paused = new CopyOnWriteArrayList<>();
            rig.intercept((device, call) -> {
                if (!rig.sourceGuest.running) {
                    paused.add(call);
                }
            });
            rig.migrate();
            assertThat(paused).isNotEmpty().doesNotContain("precopyInfo");
        }
    }

    /** The first device has three bytes of initial data from this question on. */
    private static void giveAtQuestion(LiveRig rig, int question, Runnable then) {
        LiveDriver driver = rig.sources.get(0);
        AtomicInteger questions = new AtomicInteger();
        driver.interceptor = (device, call) -> {
            if (call.equals("precopyInfo") && questions.incrementAndGet() == question) {
                driver.device.endlessInitialBytes = 0;
                driver.device.preCopyBytes = 3;
                then.run();
            }
        };
    }

    private static boolean isOver(CountDownLatch latch) {
        try {
            return latch.await(MigrationRig.LIMIT_SECONDS / 2, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldNotPauseBeforeInitialDataThatComeOverSeveralRoundsAreLoaded() {
        try (LiveRig rig = new LiveRig(2)) {
            // While memory is carried, devices are asked more than once in a round.
            rig.sourceGuest.tracked = false;
            LiveDriver late = rig.sources.get(1);
            for (int left = 8; left > 4; left--) {
                late.answers.add(new PrecopyInfo(left, 0, false));
            }
            List<Integer> atPause = new ArrayList<>();
            rig.sourceGuest.interceptor = (name, call) -> {
                if (call.equals("pause")) {
                    atPause.add(late.answers.size());
                }
            };

            MigrationReport report = rig.migrate();

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(atPause).containsExactly(0);
            rig.assertDestinationOwns();
        }
    }
}
