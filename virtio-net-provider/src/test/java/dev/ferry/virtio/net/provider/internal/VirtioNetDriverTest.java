// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static dev.ferry.fsm.Arc.*;
import static dev.ferry.virtio.net.provider.internal.Fixture.RESUME;
import static dev.ferry.virtio.net.provider.internal.Fixture.STOP;
import static dev.ferry.virtio.net.provider.internal.Fixture.assertErrno;
import static dev.ferry.virtio.net.provider.internal.Fixture.create;
import static dev.ferry.virtio.net.provider.internal.Fixture.destroy;
import static dev.ferry.virtio.net.provider.internal.Fixture.getAll;
import static dev.ferry.virtio.net.provider.internal.Fixture.metadataSize;
import static dev.ferry.virtio.net.provider.internal.Fixture.set;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The arcs as commands of a device that does as it is told. */
class VirtioNetDriverTest {

    private static final String IMAGE = "03010000000000000000000001000000" + "0f";

    private final FakeAdminQueue queue = new FakeAdminQueue();
    private Fixture fixture;
    private VirtioNetDriver driver;

    @BeforeEach
    void setUp() throws DeviceException {
        fixture = new Fixture(queue);
        driver = fixture.driver;
    }

    @Test
    void shouldBeginRunningWithAllFeatures() {
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
        assertThat(driver.features()).containsExactlyInAnyOrder(MigrationFeature.values());
    }

    @Test
    void shouldStopInRunningP2pAndDoNothingForStop() throws Exception {
        driver.step(RUNNING_TO_RUNNING_P2P);
        fixture.assertCommands(STOP);
        driver.step(RUNNING_P2P_TO_STOP);
        driver.step(STOP_TO_RUNNING_P2P);
        fixture.assertCommands();
        driver.step(RUNNING_P2P_TO_RUNNING);
        fixture.assertCommands(RESUME);
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
    }

    @Test
    void shouldSaveStopped() throws Exception {
        fixture.walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP);
        queue.commands.clear();

        assertThat(driver.step(STOP_TO_STOP_COPY)).get().isInstanceOf(SavingSession.class);
        fixture.assertCommands(create(0, 0), metadataSize(0), getAll(0));
        assertThat(driver.step(STOP_COPY_TO_STOP)).isEmpty();
        fixture.assertCommands(destroy(0));
        assertThat(queue.objects).isEmpty();
    }

    @Test
    void shouldSaveFromRunningToStopCopyInOneSession() throws Exception {
        assertThat(driver.step(RUNNING_TO_PRE_COPY)).isPresent();
        fixture.assertCommands(create(0, 0), metadataSize(0), getAll(0));
        driver.step(PRE_COPY_TO_PRE_COPY_P2P);
        fixture.assertCommands(STOP);
        driver.step(PRE_COPY_P2P_TO_PRE_COPY);
        fixture.assertCommands(RESUME);
        driver.step(PRE_COPY_TO_PRE_COPY_P2P);
        fixture.assertCommands(STOP);
        assertThat(driver.step(PRE_COPY_P2P_TO_STOP_COPY)).isEmpty();
        fixture.assertCommands(metadataSize(0), getAll(0));
        assertThat(driver.state()).isEqualTo(DeviceState.STOP_COPY);
    }

    @Test
    void shouldAbandonPreCopyInBothStates() throws Exception {
        driver.step(RUNNING_TO_PRE_COPY);
        queue.commands.clear();
        driver.step(PRE_COPY_TO_RUNNING);
        fixture.assertCommands(destroy(0));

        driver.step(RUNNING_TO_RUNNING_P2P);
        fixture.assertCommands(STOP);
        assertThat(driver.step(RUNNING_P2P_TO_PRE_COPY_P2P)).isPresent();
        fixture.assertCommands(create(0, 0), metadataSize(0), getAll(0));
        driver.step(PRE_COPY_P2P_TO_RUNNING_P2P);
        fixture.assertCommands(destroy(0));
    }

    @Test
    void shouldLoadWithASetObject() throws Exception {
        fixture.walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP);
        queue.commands.clear();

        ResumingSession session =
                (ResumingSession) driver.step(STOP_TO_RESUMING).orElseThrow();
        fixture.assertCommands(create(0, 1));
        byte[] payload = FakeAdminQueue.hex(IMAGE);
        assertThat(session.write(ByteBuffer.wrap(payload))).isEqualTo(17);
        ByteBuffer[] readable = queue.readables.get(queue.readables.size() - 1);
        assertThat(readable[1].array()).isSameAs(payload);
        fixture.assertCommands(set(0, IMAGE + "00000000000000")); // whole units of eight bytes
        driver.step(RESUMING_TO_STOP);
        fixture.assertCommands(destroy(0));
        assertErrno(Errno.ENODEV, () -> session.write(ByteBuffer.wrap(payload)));
    }

    @ParameterizedTest
    @EnumSource(Arc.class)
    void shouldRefuseAnArcThatDoesNotStartAtThePresentState(Arc arc) throws Exception {
        driver.step(RUNNING_TO_RUNNING_P2P);
        if (arc.from() != DeviceState.RUNNING_P2P) {
            assertErrno(Errno.EINVAL, () -> driver.step(arc));
            assertThat(driver.state()).isEqualTo(DeviceState.RUNNING_P2P);
        }
    }

    @Test
    void shouldRefuseArcsThatDevicesWithP2pStatesNeverMeet() throws Exception {
        assertErrno(Errno.EINVAL, () -> driver.step(RUNNING_TO_STOP));
        driver.step(RUNNING_TO_PRE_COPY);
        assertErrno(Errno.EINVAL, () -> driver.step(PRE_COPY_TO_STOP_COPY));
        fixture.walk(PRE_COPY_TO_RUNNING, RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP);
        assertErrno(Errno.EINVAL, () -> driver.step(STOP_TO_RUNNING));
        assertThat(driver.state()).isEqualTo(DeviceState.STOP);
    }

    @Test
    void shouldAnswerTheStopCopySizeInAnyState() throws Exception {
        assertThat(driver.stopCopySize()).isEqualTo(17);
        fixture.assertCommands(create(0, 0), metadataSize(0), destroy(0));

        driver.step(RUNNING_TO_PRE_COPY);
        queue.commands.clear();
        assertThat(driver.stopCopySize()).isEqualTo(17);
        fixture.assertCommands(metadataSize(0));
    }

    @Test
    void shouldRefusePartsThatAreNotInTableOrderBeforeTheDeviceSeesThem() throws Exception {
        ResumingSession session = (ResumingSession)
                fixture.walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP, STOP_TO_RESUMING).orElseThrow();
        queue.commands.clear();
        String vqCfgFirst = "04010000" + "0000000000000000" + "00000000" + "03010000" + "0000000000000000" + "01000000"
                + "0f";

        assertErrno(Errno.EINVAL, () -> session.write(ByteBuffer.wrap(FakeAdminQueue.hex(vqCfgFirst))));
        fixture.assertCommands();
    }

    @Test
    void shouldExecuteReportedCommandsOfVendorsOnly() throws Exception {
        queue.opcodes = FakeAdminQueue.hex("ffff070000000000"); // with 0x12
        fixture = new Fixture(queue, "0x0012-0x0013");
        driver = fixture.driver;
        driver.step(RUNNING_TO_PRE_COPY);
        queue.commands.clear();
        queue.scripts.put(0x12, writable -> CompletableFuture.completedFuture(
                FakeAdminQueue.put(writable, FakeAdminQueue.hex("0000000000000000 112233"))));
        ByteBuffer result = ByteBuffer.allocate(32);

        fixture.format.device.execute(0x12, ByteBuffer.wrap(FakeAdminQueue.hex("aabb")), result);

        fixture.assertCommands("1200" + Fixture.TO_MEMBER + "aabb000000000000");
        assertThat(result.position()).isEqualTo(3);
        assertErrno(Errno.EOVERFLOW, () ->
                fixture.format.device.execute(0x12, ByteBuffer.allocate(0), ByteBuffer.allocate(2)));
        queue.commands.clear();
        for (int opcode : new int[] {-1, 0x00, 0x01, 0x0d, 0x0f, 0x11, 0x13, 0x8000}) {
            assertErrno(Errno.EOPNOTSUPP, () ->
                    fixture.format.device.execute(opcode, ByteBuffer.allocate(0), result));
        }
        assertThatThrownBy(() -> fixture.format.device.execute(0x13, ByteBuffer.allocate(0), result))
                .hasMessageContaining("vendor.opcodes of the configuration dev.ferry.virtio.net.provider");
        fixture.assertCommands();
        driver.step(PRE_COPY_TO_RUNNING);
        assertErrno(Errno.ENODEV, () -> fixture.format.device.execute(0x12, ByteBuffer.allocate(0), result));
    }

    @Test
    void shouldEndItsSessionsWhenItDeparts() throws Exception {
        SavingSession session = (SavingSession) driver.step(RUNNING_TO_PRE_COPY).orElseThrow();

        driver.depart();

        assertThat(queue.objects).isEmpty();
        assertErrno(Errno.ENODEV, () -> session.read(ByteBuffer.allocate(1)));
        assertErrno(Errno.ENODEV, () -> driver.step(PRE_COPY_TO_RUNNING));
    }
}
