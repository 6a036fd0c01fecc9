// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.AdminStatus;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import dev.ferry.virtio.driver.fake.FakeClock;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import org.junit.jupiter.api.Test;

class AdminChannelTest {
    /** DEV_MODE_SET to member 3 of the SR-IOV group, flag stopped. */
    private static final String STOP =
            "1100" + "0100" + "000000000000000000000000" + "0300000000000000" + "0100000000000000";

    private final FakeAdminQueue queue = new FakeAdminQueue();
    private final FakeClock clock = new FakeClock();
    private final CommandTimeout timeout = new CommandTimeout("test");
    private final AdminChannel channel = new AdminChannel("host1/pf0", queue, timeout, clock);

    private AdminRequest stop() {
        return AdminRequest.toMember(AdminOpcode.DEV_MODE_SET, 3, 1, data -> data.put((byte) 1));
    }

    private AdminRequest read(ByteBuffer result) {
        return AdminRequest.toMember(AdminOpcode.DEV_PARTS_GET, 3, 16, data -> {}, result);
    }

    private void answerAll(String hex) {
        queue.scripts.put(FakeAdminQueue.PARTS_GET, writable ->
                CompletableFuture.completedFuture(FakeAdminQueue.put(writable, FakeAdminQueue.hex(hex))));
    }

    @Test
    void shouldNameCommandMemberStatusAndQualifierWhenRefused() {
        queue.refuse(FakeAdminQueue.MODE_SET, 16, 6);

        assertThatExceptionOfType(AdminCommandException.class)
                .isThrownBy(() -> channel.execute(stop()))
                .withMessage("host1/pf0 refused the admin command DEV_MODE_SET for member 3"
                        + " with status EBUSY and qualifier Q_NORESOURCE")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY));
    }

    @Test
    void shouldTakeAnUnknownStatusForInvalidAndShowItsNumber() {
        queue.refuse(FakeAdminQueue.MODE_SET, 77, 99);

        assertThatExceptionOfType(AdminCommandException.class)
                .isThrownBy(() -> channel.execute(stop()))
                .withMessageContaining("EINVAL (unknown status 77) and qualifier Q_INVALID_COMMAND")
                .satisfies(e -> assertThat(e.status()).isEqualTo(AdminStatus.EINVAL));
    }

    @Test
    void shouldSendAgainWhenTheDeviceAsksForIt() throws Exception {
        queue.scripts.put(FakeAdminQueue.MODE_SET, writable -> queue.commands.size() < 4
                ? CompletableFuture.completedFuture(
                        FakeAdminQueue.put(writable, FakeAdminQueue.hex("0b00070000000000")))
                : null);

        channel.execute(stop());

        assertThat(queue.commands).hasSize(4).containsOnly(STOP);
        assertThat(clock.pauses).containsExactly(1_000_000L, 2_000_000L, 4_000_000L);
    }

    @Test
    void shouldGiveUpAfterABoundedNumberOfTries() {
        queue.refuse(FakeAdminQueue.MODE_SET, 11, 7);

        assertThatExceptionOfType(AdminCommandException.class)
                .isThrownBy(() -> channel.execute(stop()))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EAGAIN));
        assertThat(queue.commands).hasSize(AdminExchange.MOST_ATTEMPTS);
    }

    @Test
    void shouldGiveUpWhenTriesWouldOutlastTheTimeout() {
        timeout.configure(() -> 10);
        queue.refuse(FakeAdminQueue.MODE_SET, 11, 7);

        assertThatExceptionOfType(AdminCommandException.class).isThrownBy(() -> channel.execute(stop()));

        assertThat(queue.commands).hasSize(4); // after pauses of 1, 2 and 4 ms the next of 8 ms would be too long
    }

    @Test
    void shouldTimeOutWhenTheDeviceDoesNotAnswer() {
        timeout.configure(() -> 10);
        queue.hang(FakeAdminQueue.MODE_SET);

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> channel.execute(stop()))
                .withMessage("host1/pf0 did not answer the admin command DEV_MODE_SET for member 3 within 10 ms;"
                        + " check the owner device")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT));
    }

    @Test
    void shouldKeepAnInterruptForTheCallerAndStillBoundTheWait() {
        timeout.configure(() -> 10);
        queue.hang(FakeAdminQueue.MODE_SET);
        Thread.currentThread().interrupt();

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> channel.execute(stop()))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT));
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void shouldPassOnWhyTheQueueFailed() {
        queue.scripts.put(FakeAdminQueue.MODE_SET, writable -> CompletableFuture.failedFuture(
                new CompletionException(new DeviceException(Errno.ENODEV, "pulled out"))));
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> channel.execute(stop()))
                .withMessageContaining("pulled out")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));

        queue.before(FakeAdminQueue.MODE_SET, () -> {
            throw new IllegalStateException("a bug of the queue");
        });
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> channel.execute(stop()))
                .withMessageContaining("a bug of the queue")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EIO));
    }

    @Test
    void shouldTakeWhateverTheQueueThrowsForItsFault() {
        List<Callable<CompletableFuture<Integer>>> faults = List.of(
                () -> {
                    throw new NoClassDefFoundError("a part of the queue is gone");
                },
                () -> null,
                () -> {
                    CompletableFuture<Integer> cancelled = new CompletableFuture<>();
                    cancelled.cancel(false);
                    return cancelled;
                },
                () -> CompletableFuture.completedFuture(null),
                () -> CompletableFuture.failedFuture(new StackOverflowError()));
        for (Callable<CompletableFuture<Integer>> fault : faults) {
            AdminQueue faulty = (readable, writable) -> {
                try {
                    return fault.call();
                } catch (Exception e) {
                    throw new AssertionError(e);
                }
            };

            assertThatExceptionOfType(DeviceException.class)
                    .isThrownBy(() -> new AdminChannel("host1/pf0", faulty, timeout, clock).execute(stop()))
                    .withMessageStartingWith(
                            "the admin command DEV_MODE_SET for member 3 could not be executed by host1/pf0: ")
                    .satisfies(e -> assertThat(e.getMessage()).doesNotEndWith(": null"))
                    .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EIO));
        }
    }

    @Test
    void shouldTellWhenTheDeviceHasMoreToSayThanTheResultHasSpaceFor() throws Exception {
        assertThat(channel.execute(read(ByteBuffer.allocate(16)))).isEqualTo(17);
    }

    @Test
    void shouldTakeMissingBytesOfTheAnswerAsZero() throws Exception {
        answerAll("");
        assertThat(channel.execute(read(ByteBuffer.allocate(16)))).isZero();

        answerAll("0000000000000000 aabb");
        assertThat(channel.execute(read(ByteBuffer.allocate(16)))).isEqualTo(2);
    }

    @Test
    void shouldNotBelieveAUsedLengthBeyondTheSpace() throws Exception {
        queue.scripts.put(FakeAdminQueue.PARTS_GET, writable -> CompletableFuture.completedFuture(Integer.MAX_VALUE));
        assertThat(channel.execute(read(ByteBuffer.allocate(16)))).isEqualTo(24); // 8 to fill up

        queue.scripts.put(FakeAdminQueue.PARTS_GET, writable -> CompletableFuture.completedFuture(-5));
        assertThat(channel.execute(read(ByteBuffer.allocate(16)))).isZero();
    }

    @Test
    void shouldLetTheDeviceWriteIntoTheCallersBuffer() throws Exception {
        ByteBuffer into = ByteBuffer.allocate(40).position(5).limit(22);

        int length = channel.execute(read(into));

        assertThat(length).isEqualTo(17);
        assertThat(into.position()).isEqualTo(5);
        assertThat(into.get(21)).isEqualTo((byte) 0x0f);
        assertThat(queue.writables.get(0)).hasSize(3); // head, the caller's 17 bytes, 15 to fill up
        assertThat(FakeAdminQueue.join(queue.writables.get(0))).hasSize(8 + 17 + 15);
        assertThat(queue.writables.get(0)[1].array()).isSameAs(into.array());
    }
}
