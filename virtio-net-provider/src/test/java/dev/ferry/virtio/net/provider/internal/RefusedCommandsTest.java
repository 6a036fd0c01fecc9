// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static dev.ferry.fsm.Arc.*;
import static dev.ferry.virtio.net.provider.internal.Fixture.RESUME;
import static dev.ferry.virtio.net.provider.internal.Fixture.STOP;
import static dev.ferry.virtio.net.provider.internal.Fixture.assertErrno;
import static dev.ferry.virtio.net.provider.internal.Fixture.create;
import static dev.ferry.virtio.net.provider.internal.Fixture.destroy;
import static dev.ferry.virtio.net.provider.internal.Fixture.set;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.DeviceState;
import dev.ferry.virtio.driver.MemberSessions.Purpose;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.ValueSource;

/** What a driver does when the device refuses a command, does not answer it, or answers what it should not. */
class RefusedCommandsTest {

    private static final String IMAGE = "03010000000000000000000001000000" + "0f";

    private final FakeAdminQueue queue = new FakeAdminQueue();
    private Fixture fixture;
    private VirtioNetDriver driver;

    @BeforeEach
    void setUp() throws DeviceException {
        fixture = new Fixture(queue);
        driver = fixture.driver;
    }

    @ParameterizedTest
    @ValueSource(ints = {FakeAdminQueue.CREATE, FakeAdminQueue.METADATA_GET, FakeAdminQueue.PARTS_GET})
    void shouldLeaveNoObjectWhenACommandOfAnOpeningArcIsRefused(int opcode) throws Exception {
        queue.refuse(opcode, 12, 6);

        assertErrno(Errno.ENOMEM, () -> driver.step(RUNNING_TO_PRE_COPY));

        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
        assertThat(queue.objects).isEmpty();
        assertThat(fixture.owner.ids().taken()).isZero();
        assertThat(queue.count(FakeAdminQueue.DESTROY)).isEqualTo(opcode == FakeAdminQueue.CREATE ? 0 : 1);
    }

    @ParameterizedTest
    @ValueSource(ints = {FakeAdminQueue.CREATE, FakeAdminQueue.METADATA_GET, FakeAdminQueue.PARTS_GET})
    void shouldLeaveNoObjectWhenACommandOfAnOpeningArcIsNotAnswered(int opcode) throws Exception {
        queue.hang(opcode);

        assertErrno(Errno.ETIMEDOUT, () -> driver.step(RUNNING_TO_PRE_COPY));

        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
        assertThat(queue.count(FakeAdminQueue.DESTROY)).isEqualTo(1);
        assertThat(queue.objects).isEmpty();
        assertThat(fixture.owner.ids().taken()).isZero();
    }

    @Test
    void shouldRefuseADeviceWithoutParts() {
        queue.announcedSize = 0;
        assertErrno(Errno.EINVAL, () -> driver.step(RUNNING_TO_PRE_COPY));

        queue.announcedSize = 64;
        queue.image = new byte[0];
        assertErrno(Errno.EINVAL, () -> driver.step(RUNNING_TO_PRE_COPY));
        assertThat(queue.objects).isEmpty();
    }

    @Test
    void shouldRefuseAnImageThatIsLargerThanAnnounced() {
        for (int size : new int[] {1, 2, 4}) { // twice that, and again, is less than 17
            queue.announcedSize = size;

            assertErrno(Errno.EOVERFLOW, () -> driver.step(RUNNING_TO_PRE_COPY));
            assertThat(queue.objects).isEmpty();
        }
    }

    @Test
    void shouldAskAgainWithTwiceTheSpaceWhenAnImageIsLargerThanAnnounced() throws Exception {
        for (int size : new int[] {5, 8, 9, 15, 16}) { // the last leaves the device no space but the filling
            queue.announcedSize = size;

            SavingSession session = (SavingSession) driver.step(RUNNING_TO_PRE_COPY).orElseThrow();

            ByteBuffer read = ByteBuffer.allocate(100);
            assertThat(session.read(read)).isEqualTo(17);
            driver.step(PRE_COPY_TO_RUNNING);
        }
    }

    @Test
    void shouldStayInPreCopyP2pWithADeadSessionWhenTheFinalImageFails() throws Exception {
        SavingSession session =
                (SavingSession) fixture.walk(RUNNING_TO_PRE_COPY, PRE_COPY_TO_PRE_COPY_P2P).orElseThrow();
        queue.refuse(FakeAdminQueue.PARTS_GET, 12, 6);

        assertErrno(Errno.ENOMEM, () -> driver.step(PRE_COPY_P2P_TO_STOP_COPY));

        assertThat(driver.state()).isEqualTo(DeviceState.PRE_COPY_P2P);
        assertErrno(Errno.ENODEV, () -> session.read(ByteBuffer.allocate(100)));
        queue.scripts.clear();
        assertErrno(Errno.ENODEV, () -> driver.step(PRE_COPY_P2P_TO_STOP_COPY));
        driver.step(PRE_COPY_P2P_TO_RUNNING_P2P);
        assertThat(queue.objects).isEmpty();
    }

    @Test
    void shouldNotAdvanceWhenTheModeIsRefused() throws Exception {
        queue.refuse(FakeAdminQueue.MODE_SET, 16, 1);

        assertErrno(Errno.EBUSY, () -> driver.step(RUNNING_TO_RUNNING_P2P));

        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
        fixture.assertCommands(STOP);
    }

    @Test
    void shouldSetTheModeBackBehindACommandThatWasNotAnswered() throws Exception {
        queue.scripts.put(FakeAdminQueue.MODE_SET, writable ->
                queue.count(FakeAdminQueue.MODE_SET) == 1 ? new CompletableFuture<>() : null);

        assertErrno(Errno.ETIMEDOUT, () -> driver.step(RUNNING_TO_RUNNING_P2P));

        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
        fixture.assertCommands(STOP, RESUME);
    }

    @ParameterizedTest
    @EnumSource(names = {"EIO", "ENODEV", "ETIMEDOUT"})
    void shouldSetTheModeBackWhenTheQueueFailsBehindTheCommand(Errno errno) throws Exception {
        queue.scripts.put(FakeAdminQueue.MODE_SET, writable -> queue.count(FakeAdminQueue.MODE_SET) == 1
                ? CompletableFuture.failedFuture(new DeviceException(errno, "told to fail"))
                : null);
        assertErrno(errno, () -> driver.step(RUNNING_TO_RUNNING_P2P));
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
        fixture.assertCommands(STOP, RESUME);

        queue.fail(FakeAdminQueue.MODE_SET, new DeviceException(errno, "told to fail"));
        assertErrno(errno, () -> driver.step(RUNNING_TO_RUNNING_P2P));
        assertThat(driver.state()).isEqualTo(DeviceState.ERROR);
    }

    @Test
    void shouldBeInErrorWhenNobodyKnowsTheMode() {
        queue.hang(FakeAdminQueue.MODE_SET);

        assertErrno(Errno.ETIMEDOUT, () -> driver.step(RUNNING_TO_RUNNING_P2P));

        assertThat(driver.state()).isEqualTo(DeviceState.ERROR);
    }

    @Test
    void shouldSayWhenAllObjectsAreInUseAndGoOnWhenOneIsFree() throws Exception {
        List<PartsObject> held = new ArrayList<>();
        for (int id = 0; id < 3; id++) {
            held.add(PartsObject.create(
                    fixture.owner, 1, new MemberIds("host1/pf0/vf1", fixture.owner.ids(), () -> {}), Purpose.SAVING));
        }
        queue.commands.clear();

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> driver.step(RUNNING_TO_PRE_COPY))
                .withMessageContaining("all 3 device parts objects of host1/pf0 are in use")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOSPC));
        fixture.assertCommands();

        held.get(1).end();
        queue.commands.clear();
        driver.step(RUNNING_TO_PRE_COPY);
        assertThat(queue.commands).startsWith(create(1, 0));
    }

    @Test
    void shouldNotReuseAnIdWhoseObjectWasNotDestroyed() throws Exception {
        driver.step(RUNNING_TO_PRE_COPY);
        queue.refuse(FakeAdminQueue.DESTROY, 16, 1);
        driver.step(PRE_COPY_TO_RUNNING);
        assertThat(driver.state()).isEqualTo(DeviceState.RUNNING);
        queue.scripts.clear();
        queue.commands.clear();

        queue.refuse(FakeAdminQueue.DESTROY, 16, 1);
        driver.step(RUNNING_TO_PRE_COPY);
        assertThat(queue.commands).startsWith(destroy(0), create(1, 0));

        queue.scripts.clear();
        queue.commands.clear();
        driver.stopCopySize();
        driver.step(PRE_COPY_TO_RUNNING);
        driver.stopCopySize();
        assertThat(queue.commands).containsSequence(destroy(0), create(0, 0));
        assertThat(queue.objects).isEmpty();
        assertThat(fixture.owner.ids().taken()).isZero();
    }

    @Test
    void shouldGiveBarePartsToADeviceThatTakesNoZerosBehindThem() throws Exception {
        queue.scripts.put(FakeAdminQueue.PARTS_SET, writable -> queue.commands.get(queue.commands.size() - 1).length()
                        == 2 * (32 + 17)
                ? null
                : CompletableFuture.completedFuture(
                        FakeAdminQueue.put(writable, FakeAdminQueue.hex("1600030000000000"))));
        ResumingSession session = (ResumingSession)
                fixture.walk(RUNNING_TO_RUNNING_P2P, RUNNING_P2P_TO_STOP, STOP_TO_RESUMING).orElseThrow();
        queue.commands.clear();

        session.write(ByteBuffer.wrap(FakeAdminQueue.hex(IMAGE)));

        fixture.assertCommands(set(0, IMAGE + "00000000000000"), set(0, IMAGE));
    }

    @Test
    void shouldPassOverAnIdThatAnEarlierDriverLeft() throws Exception {
        queue.objects.add(0);

        driver.step(RUNNING_TO_PRE_COPY);

        assertThat(queue.commands).startsWith(create(0, 0), create(1, 0));
        assertThat(fixture.owner.ids().taken()).isEqualTo(2);
    }
}
