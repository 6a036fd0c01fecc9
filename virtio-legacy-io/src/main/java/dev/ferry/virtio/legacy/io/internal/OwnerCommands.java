// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.AdminCommand;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.AdminStatus;
import dev.ferry.virtio.AdminStatusQualifier;
import dev.ferry.virtio.GroupType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.locks.LockSupport;

/**
 * Executes commands for members of one owner device, each within a bounded time.
 *
 * <p>Both parts have exactly the length that the command means, as with Linux, though the text asks for multiples of
 * eight bytes: the length of the buffer is the length of a legacy access. A command that answers EAGAIN is sent again
 * until its time is over. Thread-safe; waits on the caller's thread, and keeps an interrupt for the caller.
 */
final class OwnerCommands {

    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final String ownerId;
    private final AdminQueue queue;
    private final CommandTimeout timeout;

    OwnerCommands(String ownerId, AdminQueue queue, CommandTimeout timeout) {
        this.ownerId = ownerId;
        this.queue = queue;
        this.timeout = timeout;
    }

    /**
     * Executes one command of the SR-IOV group.
     *
     * @param member id, or 0 for a command to the group
     * @param data command-specific data
     * @return as many bytes of result as were asked for, little-endian; zero where the device wrote none
     * @throws AdminCommandException for a status other than OK
     * @throws DeviceException ETIMEDOUT without an answer in time; otherwise as the queue gives it, EIO for whatever
     *     else goes wrong in it. Nobody knows then whether the device executed the command
     */
    ByteBuffer execute(AdminOpcode opcode, long member, byte[] data, int resultBytes) throws DeviceException {
        long deadline = System.nanoTime() + timeout.nanos();
        ByteBuffer readable = ByteBuffer.allocate(AdminCommand.HEADER_BYTES + data.length);
        AdminCommand.of(opcode, GroupType.SR_IOV, member).encode(readable);
        readable.put(data).flip();
        while (true) {
            ByteBuffer writable = ByteBuffer.allocate(AdminResult.HEADER_BYTES + resultBytes);
            int used = await(describe(opcode, member), submit(readable, writable), deadline);
            AdminResult head = AdminResult.decode(writable, used);
            if (head.isOk()) {
                return result(writable, used);
            }
            boolean mayTryAgain = head.status() == AdminStatus.EAGAIN.number()
                    && System.nanoTime() + PAUSE_NANOS - deadline < 0;
            if (!mayTryAgain) {
                throw refused(describe(opcode, member), head);
            }
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    /** What the device wrote beyond the used length reads as zero, as the text demands. */
    private static ByteBuffer result(ByteBuffer writable, int used) {
        for (int at = Math.max(used, AdminResult.HEADER_BYTES); at < writable.capacity(); at++) {
            writable.put(at, (byte) 0);
        }
        return writable.slice(AdminResult.HEADER_BYTES, writable.capacity() - AdminResult.HEADER_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
    }

    private CompletableFuture<Integer> submit(ByteBuffer readable, ByteBuffer writable) {
        try {
            return queue.submit(new ByteBuffer[] {readable.duplicate()}, new ByteBuffer[] {writable})
                    .toCompletableFuture();
        } catch (Throwable e) { // the queue is another bundle's: whatever it throws, an Error too, is its fault
            return CompletableFuture.failedFuture(e);
        }
    }

    private int await(String command, CompletableFuture<Integer> answer, long deadline) throws DeviceException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    Integer used = answer.get(Math.max(0, deadline - System.nanoTime()), TimeUnit.NANOSECONDS);
                    if (used == null) {
                        throw failed(command, new IllegalStateException("it did not say how much was written"));
                    }
                    return used;
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (TimeoutException e) {
            throw new DeviceException(
                    Errno.ETIMEDOUT,
                    "%s did not answer the admin command %s within %d ms; check the owner device"
                            .formatted(ownerId, command, timeout.millis()),
                    e);
        } catch (ExecutionException e) {
            throw failed(command, e.getCause());
        } catch (RuntimeException e) { // cancelled
            throw failed(command, e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private DeviceException failed(String command, Throwable cause) {
        Errno errno = cause instanceof DeviceException device ? device.errno() : Errno.EIO;
        String reason = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        return new DeviceException(
                errno,
                "the admin command %s could not be executed by %s: %s".formatted(command, ownerId, reason),
                cause);
    }

    private AdminCommandException refused(String command, AdminResult head) {
        AdminStatus status = AdminStatus.ofNumber(head.status());
        AdminStatusQualifier qualifier = AdminStatusQualifier.ofNumber(head.statusQualifier());
        return new AdminCommandException(
                status,
                qualifier,
                "%s refused the admin command %s with status %s and qualifier %s"
                        .formatted(ownerId, command, status, qualifier));
    }

    private static String describe(AdminOpcode opcode, long member) {
        return member == 0 ? opcode.name() : opcode.name() + " for member " + member;
    }
}
