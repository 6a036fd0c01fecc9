// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static dev.ferry.fsm.core.internal.SaveAndRestoreTest.failureOf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.StateChange;
import java.nio.ByteBuffer;
import java.util.EnumSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class SetStateTest {

    private static final String DEVICE = MigrationRig.SOURCE;

    @Test
    void shouldTakeTheArcsOfTheWay() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            StateChange change = rig.service.setState(DEVICE, DeviceState.RESUMING);

            assertThat(change.from()).isEqualTo(DeviceState.RUNNING);
            assertThat(change.to()).isEqualTo(DeviceState.RESUMING);
            assertThat(change.arcs())
                    .containsExactly(Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP, Arc.STOP_TO_RESUMING);
            assertThat(rig.source.state).isEqualTo(DeviceState.RESUMING);
        }
    }

    @Test
    void shouldDoNothingWhenTheDeviceIsThere() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.service.setState(DEVICE, DeviceState.PRE_COPY);

            assertThat(rig.service.setState(DEVICE, DeviceState.PRE_COPY).arcs()).isEmpty();
            assertThat(rig.source.hasOpenSession()).isTrue();
        }
    }

    @Test
    void shouldKeepTheSessionUntilItsStateIsLeft() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.service.setState(DEVICE, DeviceState.PRE_COPY);
            rig.service.setState(DEVICE, DeviceState.STOP_COPY);
            assertThat(rig.source.hasOpenSession()).isTrue();

            rig.service.setState(DEVICE, DeviceState.STOP);

            assertThat(rig.source.hasOpenSession()).isFalse();
        }
    }

    @Test
    void shouldKeepTheSessionWhenTheArcThatWouldContinueItFails() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.service.setState(DEVICE, DeviceState.PRE_COPY);
            rig.source.once(Arc.PRE_COPY_TO_PRE_COPY_P2P, () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            });

            failureOf(() -> rig.service.setState(DEVICE, DeviceState.STOP_COPY));

            assertThat(rig.source.state).isEqualTo(DeviceState.PRE_COPY);
            assertThat(rig.source.hasOpenSession()).isTrue();
        }
    }

    @Test
    void shouldDropTheSessionAtOnceWhenTheDeviceGoesToError() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.service.setState(DEVICE, DeviceState.PRE_COPY);
            rig.source.once(Arc.PRE_COPY_TO_PRE_COPY_P2P, () -> {
                rig.source.state = DeviceState.ERROR;
                throw new DeviceException(Errno.EIO, "scripted");
            });

            failureOf(() -> rig.service.setState(DEVICE, DeviceState.STOP_COPY));

            assertThat(rig.source.hasOpenSession()).isFalse();
            assertThat(failureOf(() -> rig.service.setState(DEVICE, DeviceState.RUNNING)).message())
                    .contains("only a reset");
        }
    }

    @Test
    void shouldDropTheSessionWhenTheStateCannotBeReadAfterAFailure() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.service.setState(DEVICE, DeviceState.PRE_COPY);
            rig.source.once(Arc.PRE_COPY_TO_PRE_COPY_P2P, () -> {
                rig.source.onState = () -> {
                    throw new DeviceException(Errno.EIO, "no answer");
                };
                throw new DeviceException(Errno.EIO, "scripted");
            });

            assertThat(failureOf(() -> rig.service.setState(DEVICE, DeviceState.STOP_COPY)).message())
                    .contains("scripted");

            assertThat(rig.source.hasOpenSession()).isFalse();
        }
    }

    @Test
    void shouldRefuseWithoutTouchingTheDevice() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.service.setState(DEVICE, DeviceState.STOP_COPY);
            int taken = rig.source.arcs.size();

            Failure failure = failureOf(() -> rig.service.setState(DEVICE, DeviceState.PRE_COPY));

            assertThat(failure.code()).isEqualTo(FailureCode.TRANSITION_REFUSED);
            assertThat(failure.message()).startsWith(DEVICE + ": ").contains("blocked");
            assertThat(rig.source.arcs).hasSize(taken);
            assertThat(rig.source.hasOpenSession()).isTrue();
        }
    }

    @Test
    void shouldRefuseAnUnsupportedStateAndErrorAndAnUnknownDevice() {
        try (MigrationRig rig = new MigrationRig(EnumSet.of(MigrationFeature.STOP_COPY))) {
            assertThat(failureOf(() -> rig.service.setState(DEVICE, DeviceState.PRE_COPY)).code())
                    .isEqualTo(FailureCode.TRANSITION_REFUSED);
            assertThat(failureOf(() -> rig.service.setState(DEVICE, DeviceState.ERROR)).code())
                    .isEqualTo(FailureCode.TRANSITION_REFUSED);
            assertThat(failureOf(() -> rig.service.setState("nowhere", DeviceState.STOP)).code())
                    .isEqualTo(FailureCode.DEVICE_NOT_FOUND);
            assertThat(rig.source.arcs).isEmpty();
        }
    }

    @Test
    void shouldStayInTheLastStateReachedWhenAnArcFails() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.once(Arc.RUNNING_P2P_TO_STOP, () -> {
                throw new DeviceException(Errno.ETIMEDOUT, "no answer");
            });

            Failure failure = failureOf(() -> rig.service.setState(DEVICE, DeviceState.STOP_COPY));

            assertThat(failure.code()).isEqualTo(FailureCode.DEVICE_FAILED);
            assertThat(failure.errno()).contains(Errno.ETIMEDOUT);
            assertThat(failure.message()).contains(DEVICE, "RUNNING_P2P to STOP", "no answer");
            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING_P2P);
        }
    }

    @Test
    void shouldGoOnFromWhereAResetFromElsewhereLeftTheDevice() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.service.setState(DEVICE, DeviceState.PRE_COPY);
            rig.source.reset();

            StateChange change = rig.service.setState(DEVICE, DeviceState.STOP);

            assertThat(change.from()).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.source.hasOpenSession()).isFalse();
            rig.assertNoBreaches();
        }
    }

    @Test
    void shouldResetOutOfErrorWhenAsked() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.state = DeviceState.ERROR;

            StateChange change = rig.service.reset(DEVICE);

            assertThat(change).isEqualTo(new StateChange(DEVICE, DeviceState.ERROR, List.of(), DeviceState.RUNNING));
            assertThat(rig.service.setState(DEVICE, DeviceState.STOP).to()).isEqualTo(DeviceState.STOP);
        }
    }

    @Test
    void shouldAbandonResumingByAReset() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.service.setState(DEVICE, DeviceState.RESUMING);
            assertThat(failureOf(() -> rig.service.setState(DEVICE, DeviceState.STOP)).code())
                    .isEqualTo(FailureCode.DEVICE_FAILED);

            rig.service.reset(DEVICE);

            assertThat(rig.source.state).isEqualTo(DeviceState.RUNNING);
            assertThat(rig.source.hasOpenSession()).isFalse();
        }
    }

    @Test
    void shouldSayWhenTheResetFails() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.onReset = () -> {
                throw new DeviceException(Errno.EIO, "no answer");
            };

            Failure failure = failureOf(() -> rig.service.reset(DEVICE));

            assertThat(failure.code()).isEqualTo(FailureCode.DEVICE_FAILED);
            assertThat(failure.message()).contains(DEVICE, "the reset", "no answer");
            assertThat(failureOf(() -> rig.service.reset("nowhere")).code())
                    .isEqualTo(FailureCode.DEVICE_NOT_FOUND);
        }
    }

    @Test
    void shouldDropASessionThatAnInteriorArcOpens() {
        try (MigrationRig rig = new MigrationRig()) {
            Extra extra = new Extra();
            rig.source.once(Arc.RUNNING_P2P_TO_STOP, () -> rig.source.extraSession = extra);

            Failure failure = failureOf(() -> rig.service.setState(DEVICE, DeviceState.STOP_COPY));

            assertThat(failure.code()).isEqualTo(FailureCode.DEVICE_FAILED);
            assertThat(failure.errno()).contains(Errno.EINVAL);
            assertThat(failure.message()).contains("wrong data transfer session", "report this to its vendor");
            assertThat(extra.closed).isTrue();
            assertThat(rig.source.state).isEqualTo(DeviceState.STOP);
        }
    }

    @Test
    void shouldStayWhereItIsWhenNoSessionIsFree() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.once(Arc.STOP_TO_RESUMING, () -> {
                throw new DeviceException(Errno.ENOSPC, "no free object");
            });

            assertThat(failureOf(() -> rig.service.setState(DEVICE, DeviceState.RESUMING)).errno())
                    .contains(Errno.ENOSPC);
            assertThat(rig.source.state).isEqualTo(DeviceState.STOP);
        }
    }

    @Test
    void shouldDropTheSessionWhenTheDriverLeaves() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            rig.service.setState(DEVICE, DeviceState.STOP_COPY);

            rig.remove(rig.source, MigrationRig.SOURCE_SERVICE);

            assertThat(rig.source.hasOpenSession()).isFalse();
            rig.assertNoBreaches();
        }
    }

    private static final class Extra implements SavingSession {
        boolean closed;

        @Override
        public int read(ByteBuffer into) {
            return -1;
        }

        @Override
        public PrecopyInfo precopyInfo() {
            return new PrecopyInfo(0, 0, false);
        }

        @Override
        public boolean isOpen() {
            return !closed;
        }

        @Override
        public void close() {
            closed = true;
        }
    }
}
