// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.migration.Failure;
import dev.ferry.migration.Finding;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What fails from START on: the destination keeps what it loaded, the source its copy until that is used. */
class StartFailureTest {

    private static final ScriptedDriver.Step BROKEN = () -> {
        throw new DeviceException(Errno.EIO, "scripted");
    };

    @Test
    void shouldKeepWhatTheDestinationLoadedWhenItDoesNotStart() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.on(Arc.RUNNING_P2P_TO_RUNNING, BROKEN);

            MigrationReport report = rig.migrate();

            Failure failure = report.failure().orElseThrow();
            assertThat(report.result()).isEqualTo(MigrationReport.Result.FAILED);
            assertThat(failure.phase()).contains(MigrationPhase.START);
            assertThat(failure.device()).contains(MigrationRig.DESTINATION);
            assertThat(failure.message())
                    .contains("owns the guest", "left in RUNNING_P2P", "take it to RUNNING")
                    .contains("keeps its copy in STOP until it is used for anything, or until its driver leaves after");
            assertThat(rig.destination.text).isEqualTo(MigrationRig.TEXT);
            assertThat(rig.destination.state).isEqualTo(DeviceState.RUNNING_P2P);
            assertThat(rig.destination.resets).hasValue(0);
            assertThat(rig.source.state).isEqualTo(DeviceState.STOP);
            assertThat(rig.sourceGuest.running).isFalse();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldKeepBothCopiesOfADestinationThatDoesNotStartWhenTheDriversLeave(boolean sourceFirst) {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.on(Arc.RUNNING_P2P_TO_RUNNING, BROKEN);
            rig.migrate();

            List<String> errors = LogCapture.errorsOf(Device.class, () -> rig.end(sourceFirst));

            assertThat(rig.destination.state).isEqualTo(DeviceState.RUNNING_P2P);
            assertThat(rig.destination.text).isEqualTo(MigrationRig.TEXT);
            assertThat(rig.source.state).isEqualTo(DeviceState.STOP);
            assertThat(rig.source.text).isEqualTo(MigrationRig.TEXT);
            assertThat(errors)
                    .hasSize(2)
                    .anyMatch(error -> error.contains("host2/vf1: its driver leaves, and it stays in RUNNING_P2P")
                            && error.contains("scripted"))
                    .anyMatch(error -> error.contains("host1/vf1: its driver leaves, and it stays in STOP")
                            && error.contains("host2/vf1"));
            rig.assertNoBreaches();
        }
    }

    @Test
    void shouldNotMigrateIntoADestinationThatHoldsWhatItCouldNotRun() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.on(Arc.RUNNING_P2P_TO_RUNNING, BROKEN);
            rig.migrate();
            rig.service.setState(MigrationRig.SOURCE, DeviceState.RUNNING);

            List<Finding> findings = rig.service.check(rig.request());

            assertThat(findings).singleElement().satisfies(finding -> {
                assertThat(finding.code()).isEqualTo(Finding.Code.DESTINATION_NOT_IDLE);
                assertThat(finding.message())
                        .startsWith("host2/vf1: it is RUNNING_P2P, and it took over the state of host1/vf1")
                        .contains("has not run with it");
            });
            rig.destination.on(Arc.RUNNING_P2P_TO_RUNNING, () -> {});
            rig.service.setState(MigrationRig.DESTINATION, DeviceState.RUNNING);
            assertThat(rig.service.check(rig.request())).isEmpty();
        }
    }

    @Test
    void shouldRunTheDestinationWhereThatWorksAsTheDriversLeave() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.on(Arc.RUNNING_P2P_TO_RUNNING, BROKEN);
            rig.migrate();
            rig.destination.on(Arc.RUNNING_P2P_TO_RUNNING, () -> {});

            rig.end(false);

            assertThat(rig.destination.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.destination.text).isEqualTo(MigrationRig.TEXT);
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.source.text).isEqualTo(ScriptedDriver.FRESH);
        }
    }

    @Test
    void shouldKeepTheCopyOfTheSourceWhenThatOfTheDestinationIsLost() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.on(Arc.RUNNING_P2P_TO_RUNNING, () -> {
                rig.destination.state = DeviceState.ERROR;
                BROKEN.run();
            });
            rig.migrate();

            rig.end(false);

            assertThat(rig.destination.state).isEqualTo(DeviceState.ERROR);
            assertThat(rig.source.state).isEqualTo(DeviceState.STOP);
            assertThat(rig.source.text).isEqualTo(MigrationRig.TEXT);
        }
    }

    @Test
    void shouldResetTheSourceAsItsDriverLeavesOnceTheDestinationWasStarted() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.on(Arc.RUNNING_P2P_TO_RUNNING, BROKEN);
            rig.migrate();
            rig.destination.on(Arc.RUNNING_P2P_TO_RUNNING, () -> {});
            rig.service.setState(MigrationRig.DESTINATION, DeviceState.RUNNING);

            rig.remove(rig.source, MigrationRig.SOURCE_SERVICE);

            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.source.text).isEqualTo(ScriptedDriver.FRESH);
        }
    }

    @Test
    void shouldResetTheSourceAsItsDriverLeavesAlsoWhenTheDestinationCouldNotBeAskedOnceItRan() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.once(Arc.RUNNING_P2P_TO_RUNNING, () -> {
                rig.destination.onState = () -> {
                    rig.destination.onState = () -> {};
                    BROKEN.run();
                };
            });
            assertThat(rig.migrate().result()).isEqualTo(MigrationReport.Result.COMPLETED);

            rig.remove(rig.source, MigrationRig.SOURCE_SERVICE);

            assertThat(rig.source.text).isEqualTo(ScriptedDriver.FRESH);
        }
    }

    @Test
    void shouldResetTheSourceAsItsDriverLeavesAlsoWhenTheDestinationFailedOnceItRan() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.destination.once(Arc.RUNNING_P2P_TO_RUNNING, () -> {
                rig.destination.state = DeviceState.RUNNING;
                BROKEN.run();
            });
            assertThat(rig.migrate().result()).isEqualTo(MigrationReport.Result.COMPLETED);

            List<String> errors = LogCapture.errorsOf(Device.class, () -> rig.end(true));

            assertThat(errors).isEmpty();
            rig.assertDestinationOwnsAndSourceIsBlank();
        }
    }

    @Test
    void shouldCompleteWhenTheSourceCannotBeReleased() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.once(Arc.STOP_COPY_TO_STOP, BROKEN);

            MigrationReport report = rig.migrate();

            assertThat(report.result()).isEqualTo(MigrationReport.Result.COMPLETED);
            assertThat(report.sourceState()).contains(DeviceState.STOP_COPY);
            rig.service.setState(MigrationRig.SOURCE, DeviceState.RUNNING);
            assertThat(rig.source.text).isEqualTo(ScriptedDriver.FRESH);
        }
    }
}
