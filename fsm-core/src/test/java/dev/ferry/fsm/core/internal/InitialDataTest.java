// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.PrecopyInfo;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Convergence;
import dev.ferry.migration.Decision;
import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

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

    @Test
    void shouldNotWaitForEverForInitialData() {
        try (LiveRig rig = new LiveRig(1)) {
            rig.sources.get(0).device.preCopyBytes = 0;
            rig.sources.get(0).device.endlessInitialBytes = 5;

            MigrationReport report = rig.migrate();

            assertThat(report.result()).isEqualTo(Result.COMPLETED);
            assertThat(Decisions.messages(report, Decision.Kind.FORCED))
                    .singleElement()
                    .asString()
                    .contains("initial data");
            assertThat(report.total()).isBetween(Duration.ofSeconds(5), Duration.ofSeconds(6));
        }
    }
}
