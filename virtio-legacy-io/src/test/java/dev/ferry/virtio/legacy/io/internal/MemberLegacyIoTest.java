// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.driver.command.CommandTimeout;
import java.util.ArrayDeque;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class MemberLegacyIoTest {

    private static final String HEADER = "0100" + "000000000000000000000000" + "0300000000000000";

    private final FakeOwner device = new FakeOwner();
    private final CommandTimeout timeout = new CommandTimeout("test");
    private final Owner owner = new Owner("host1/pf0", new OwnerCommands("host1/pf0", device, timeout), device);
    private final MemberLegacyIo io = new MemberLegacyIo(owner, 3, "host1/pf0/vf3");

    @BeforeEach
    void open() throws Exception {
        io.open();
        device.writes.clear();
    }

    private static void assertFails(Errno errno, ThrowingCallable access) {
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(access)
                .satisfies(e -> assertThat(e.errno()).as(e.getMessage()).isEqualTo(errno));
    }

    private void enable() throws Exception {
        io.writeConfig(0x04, 2, 0x7);
        device.writes.clear();
        device.commands.clear();
        device.spaces.clear();
    }

    @Test
    void shouldAskForListAndNotificationAddressWhenOpened() {
        assertThat(device.commands).containsExactly(
                "0000" + "0100" + "000000000000000000000000" + "0000000000000000", "0600" + HEADER);
        assertThat(device.spaces).containsExactly(16, 72);
    }

    @Test
    void shouldNeverSendListUse() throws Exception {
        enable();
        io.readBar0(0, 4);
        io.writeBar0(18, 1, 0);
        assertThat(device.commands).noneMatch(command -> command.startsWith("0100"));
    }

    @Test
    void shouldLookLikeATransitionalNetworkDevice() throws Exception {
        assertThat(io.readConfig(0x00, 4)).isEqualTo(0x1000_1AF4L);
        assertThat(io.readConfig(0x02, 2)).isEqualTo(0x1000);
        assertThat(io.readConfig(0x03, 1)).isEqualTo(0x10);
        assertThat(io.readConfig(0x08, 1)).isZero();
        assertThat(io.readConfig(0x08, 4)).as("class and revision").isEqualTo(0x0200_0000L);
        assertThat(io.readConfig(0x2C, 2)).isEqualTo(0x1AF4);
        assertThat(io.readConfig(0x2E, 2)).isEqualTo(1);
        assertThat(io.readConfig(0x2C, 4)).isEqualTo(0x0001_1AF4L);
        assertThat(io.readConfig(0x34, 1)).as("not patched").isEqualTo(FakeOwner.EXPRESS_CAP);
    }

    @Test
    void shouldShowAnIoBarOf32Bytes() throws Exception {
        assertThat(io.readConfig(0x10, 4)).isEqualTo(1);
        io.writeConfig(0x10, 4, 0xFFFF_FFFFL);
        assertThat(io.readConfig(0x10, 4)).isEqualTo(0xFFFF_FFE1L);
        io.writeConfig(0x10, 4, 0x0000_C03FL);
        assertThat(io.readConfig(0x10, 4)).isEqualTo(0xC021);
        io.writeConfig(0x11, 1, 0xD0);
        assertThat(io.readConfig(0x10, 2)).isEqualTo(0xD021);
        assertThat(io.readConfig(0x12, 2)).isZero();
    }

    @Test
    void shouldKeepTheIoBitToItselfAndPassTheOthersOn() throws Exception {
        io.writeConfig(0x04, 2, 0x7);
        assertThat(device.writes).containsExactly("config 4/2=7");
        assertThat(device.config.getShort(4)).isEqualTo((short) 6);
        assertThat(io.readConfig(0x04, 2)).isEqualTo(0x7);
        assertThat(io.readConfig(0x04, 4)).isEqualTo(0x7);
        io.writeConfig(0x04, 2, 0x6);
        assertThat(io.readConfig(0x04, 2)).isEqualTo(0x6);
        io.writeConfig(0x04, 1, 0x1);
        assertThat(io.readConfig(0x04, 1)).isEqualTo(0x1);
        assertThat(io.readConfig(0x05, 1)).isZero();
    }

    @Test
    void shouldForgetTheIoBitAndTheAddressWhenTheGuestResetsTheFunction() throws Exception {
        io.writeConfig(0x04, 2, 0x1);
        io.writeConfig(0x10, 4, 0xC000);
        io.writeConfig(FakeOwner.EXPRESS_CAP + 8, 2, 0x2810);
        assertThat(io.readConfig(0x04, 2)).isEqualTo(1);
        io.writeConfig(FakeOwner.EXPRESS_CAP + 8, 2, 0xA810);
        assertThat(io.readConfig(0x04, 2)).isZero();
        assertThat(io.readConfig(0x10, 4)).isEqualTo(1);
        assertFails(Errno.EIO, () -> io.readBar0(0, 4));
        io.writeConfig(0x04, 2, 0x1);
        io.writeConfig(FakeOwner.EXPRESS_CAP + 8, 4, 0x0000_8000L);
        assertThat(io.readConfig(0x04, 2)).isZero();
    }

    @ParameterizedTest(name = "{1} bytes at {0}")
    @CsvSource({"-1,1", "1,2", "2,4", "0,3", "0,8", "0,0", "4096,1", "4095,2", "4094,4"})
    void shouldRefuseConfigurationAccessesThatNoProcessorMakes(int offset, int size) {
        assertFails(Errno.EINVAL, () -> io.readConfig(offset, size));
        assertFails(Errno.EINVAL, () -> io.writeConfig(offset, size, 0));
        assertThat(device.writes).isEmpty();
    }

    @Test
    void shouldFailWithEioWhileIoIsOff() throws Exception {
        device.commands.clear();
        assertFails(Errno.EIO, () -> io.readBar0(0, 4));
        assertFails(Errno.EIO, () -> io.writeBar0(18, 1, 1));
        assertFails(Errno.EIO, () -> io.writeBar0(16, 2, 0));
        assertFails(Errno.EIO, () -> io.readBar0(40, 4));
        io.writeConfig(0x04, 2, 0x6);
        assertFails(Errno.EIO, () -> io.readBar0(0, 4));
        assertThat(device.commands).isEmpty();
    }

    @ParameterizedTest(name = "{1} bytes at {0}")
    @CsvSource({"-1,1", "32,1", "31,2", "29,4", "255,1", "0,3", "0,8", "0,0", "16,1", "16,4"})
    void shouldFailWithEinvalBeyondTheBarOrForAnotherWidth(int offset, int size) throws Exception {
        enable();
        assertFails(Errno.EINVAL, () -> io.readBar0(offset, size));
        assertFails(Errno.EINVAL, () -> io.writeBar0(offset, size, 0));
        assertThat(device.commands).isEmpty();
        assertThat(device.writes).isEmpty();
    }

    @ParameterizedTest(name = "{1} bytes at {0}, MSI-X {2}: {3} {4}")
    @CsvSource({
        "0,  4, false, 3, 00",
        "14, 2, false, 3, 0e",
        "19, 1, false, 3, 13",
        "20, 4, false, 5, 00",
        "24, 1, false, 5, 04",
        "26, 2, false, 5, 06",
        "31, 1, false, 5, 0b",
        "20, 2, true,  3, 14",
        "22, 2, true,  3, 16",
        "24, 4, true,  5, 00",
        "30, 2, true,  5, 06"
    })
    void shouldMakeReadsOfCommonAndDeviceConfiguration(int offset, int size, boolean msix, int opcode, String data)
            throws Exception {
        enable();
        device.msix(msix);
        device.answer(opcode, FakeOwner.OK + "ddccbbaa");
        assertThat(io.readBar0(offset, size)).isEqualTo(0xAABBCCDDL & (1L << 8 * size) - 1);
        assertThat(device.commands).containsExactly("0" + opcode + "00" + HEADER + data);
        assertThat(device.spaces).containsExactly(8 + size);
    }

    @ParameterizedTest(name = "{1} bytes at {0}, MSI-X {2}: {3} {4}")
    @CsvSource({
        "4,  4, false, 2, 0400000000000000ddccbbaa",
        "18, 1, false, 2, 1200000000000000dd",
        "20, 1, false, 4, 0000000000000000dd",
        "25, 1, false, 4, 0500000000000000dd",
        "22, 2, true,  2, 1600000000000000ddcc",
        "24, 4, true,  4, 0000000000000000ddccbbaa"
    })
    void shouldMakeWritesOfCommonAndDeviceConfiguration(int offset, int size, boolean msix, int opcode, String data)
            throws Exception {
        enable();
        device.msix(msix);
        io.writeBar0(offset, size, 0xAABBCCDDL);
        assertThat(device.commands).containsExactly("0" + opcode + "00" + HEADER + data);
        assertThat(device.spaces).containsExactly(8);
    }

    @Test
    void shouldWriteQueueNotifyStraightToItsAddress() throws Exception {
        enable();
        io.writeBar0(16, 2, 0x1_0002L);
        assertThat(device.writes).containsExactly("bar2 3800/2=2");
        assertThat(device.commands).isEmpty();
        io.writeConfig(0x04, 2, 0x5);
        assertFails(Errno.EIO, () -> io.writeBar0(16, 2, 1));
    }

    @Test
    void shouldPassOnWhyTheOwnerRefuses() throws Exception {
        enable();
        device.answer(3, "1600 0300 00000000");
        assertFails(Errno.EINVAL, () -> io.readBar0(12, 4));
        device.answer(3, "4d00 ee00 00000000");
        assertFails(Errno.EINVAL, () -> io.readBar0(12, 2));
        device.answers.put(3, () -> CompletableFuture.failedFuture(new DeviceException(Errno.ENODEV, "gone")));
        assertFails(Errno.ENODEV, () -> io.readBar0(12, 2));
        device.answers.put(3, () -> CompletableFuture.completedFuture(null));
        assertFails(Errno.EIO, () -> io.readBar0(12, 2));
        device.answers.put(3, () -> {
            throw new IllegalStateException("broken");
        });
        assertFails(Errno.EIO, () -> io.readBar0(12, 2));
    }

    @Test
    void shouldTakeBytesThatWereNotWrittenForZero() throws Exception {
        enable();
        device.answer(3, FakeOwner.OK + "44");
        assertThat(io.readBar0(0, 4)).isEqualTo(0x44);
        device.answer(3, FakeOwner.OK);
        assertThat(io.readBar0(0, 4)).isZero();
        device.answer(3, "00");
        assertThat(io.readBar0(0, 4)).isZero();
    }

    @Test
    void shouldTryAgainWhenAskedTo() throws Exception {
        enable();
        Queue<String> answers = new ArrayDeque<>(List.of("0b00070000000000", "0b00070000000000", FakeOwner.OK + "07"));
        device.answers.put(3, () -> CompletableFuture.completedFuture(answers.remove()));
        assertThat(io.readBar0(18, 1)).isEqualTo(7);
        assertThat(device.commands).hasSize(3);
    }

    @Test
    void shouldEndEveryWaitWhenTheOwnerDoesNotAnswer() throws Exception {
        timeout.configure(() -> 20);
        enable();
        device.answers.put(3, CompletableFuture::new);
        assertFails(Errno.ETIMEDOUT, () -> io.readBar0(0, 4));
        device.answer(3, "0b00070000000000");
        assertFails(Errno.EAGAIN, () -> io.readBar0(0, 4));
    }

    @Test
    void shouldKeepAnInterruptForTheCaller() throws Exception {
        timeout.configure(() -> 20);
        enable();
        device.answers.put(3, CompletableFuture::new);
        Thread.currentThread().interrupt();
        assertFails(Errno.ETIMEDOUT, () -> io.readBar0(0, 4));
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void shouldRefuseEveryAccessAfterItWasClosed() throws Exception {
        enable();
        assertThat(io.close(0)).isTrue();
        assertFails(Errno.ENODEV, () -> io.readBar0(0, 4));
        assertFails(Errno.ENODEV, () -> io.writeBar0(18, 1, 0));
        assertFails(Errno.ENODEV, () -> io.readConfig(0, 4));
        assertFails(Errno.ENODEV, () -> io.writeConfig(4, 2, 0));
        assertThat(device.commands).isEmpty();
    }

    @Test
    void shouldWaitForTheAccessUnderWayWhenItIsClosed() throws Exception {
        timeout.configure(() -> CommandTimeout.MOST_MILLIS);
        enable();
        CompletableFuture<String> answer = new CompletableFuture<>();
        CountDownLatch asked = new CountDownLatch(1);
        device.answers.put(3, () -> {
            asked.countDown();
            return answer;
        });
        CompletableFuture<Long> access = CompletableFuture.supplyAsync(() -> {
            try {
                return io.readBar0(18, 1);
            } catch (DeviceException e) {
                throw new AssertionError(e);
            }
        });
        assertThat(asked.await(30, TimeUnit.SECONDS)).isTrue();
        assertThat(io.close(1_000_000)).isFalse();
        answer.complete(FakeOwner.OK + "05");
        assertThat(io.close(TimeUnit.SECONDS.toNanos(30))).isTrue();
        assertThat(access.get(30, TimeUnit.SECONDS)).isEqualTo(5);
    }

    @Test
    void shouldFailWhenTheMemberIsGone() throws Exception {
        enable();
        device.gone = true;
        assertFails(Errno.ENODEV, () -> io.readBar0(0, 4));
        assertFails(Errno.ENODEV, () -> io.readConfig(0, 4));
    }
}
