// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.AdminStatus;
import dev.ferry.virtio.AdminStatusQualifier;
import dev.ferry.virtio.context.ContextLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Objects;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * Executes admin commands on the queue of one owner device, each within a bounded time.
 *
 * <p>A command that answers EAGAIN is sent again, a bounded number of times. After a time-out the buffers of the
 * command still belong to the queue; nobody here uses them again. Thread-safe; a call waits for the device on the
 * caller's thread. An interrupt does not end the wait, which is bounded anyway, and is kept for the caller.
 */
public final class AdminChannel {

    /** How often a command is sent before EAGAIN is taken for an answer. */
    public static final int MOST_ATTEMPTS = 10;

    private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final String ownerId;
    private final AdminQueue queue;
    private final CommandTimeout timeout;
    private final Clock clock;

    /** Commands that the queue was given and has not answered, those too for which nobody waits any more. */
    private final AtomicInteger pending = new AtomicInteger();

    /** Time as the channel sees it. */
    public interface Clock {
        /** As {@link System#nanoTime}. */
        long nanoTime();

        /** Waits, without regard to interrupts shorter than asked for. */
        void pause(long nanos);
    }

    /** A channel to the queue of one owner device. */
    public AdminChannel(String ownerId, AdminQueue queue, CommandTimeout timeout, Clock clock) {
        this.ownerId = ownerId;
        this.queue = queue;
        this.timeout = timeout;
        this.clock = clock;
    }

    /**
     * Executes one command.
     *
     * @return bytes that the device wrote behind the head; more than the result has space for when the device has more
     *     to say than was asked for, and what is missing then is unknown. The position of the result stays
     * @throws AdminCommandException for a status other than OK
     * @throws DeviceException ETIMEDOUT without an answer in time; ENODEV, EIO and others as the queue gives them; EIO
     *     for whatever else goes wrong in the queue. Nobody knows then whether the device executed the command
     */
    public int execute(AdminRequest request) throws DeviceException {
        return perform(request).length();
    }

    /**
     * What a device answered.
     *
     * @param length bytes behind the head
     * @param output the command-specific output, where a command set has one; else 0
     */
    public record Answer(int length, int output) {}

    /**
     * As {@link #execute}, for commands with an output.
     *
     * @throws CommandRefusedException for a status other than OK, with the output
     * @throws DeviceException as {@link #execute}
     */
    public Answer perform(AdminRequest request) throws DeviceException {
        long deadline = clock.nanoTime() + timeout.nanos();
        long pause = FIRST_PAUSE_NANOS;
        for (int attempt = 1; ; attempt++) {
            ByteBuffer[] writable = writable(request.result());
            int used = await(request, submit(request, writable), deadline);
            AdminResult head = AdminResult.decode(writable[0], used);
            if (head.isOk()) {
                int length = Math.max(0, Math.min(used, space(writable)) - AdminResult.HEADER_BYTES);
                return new Answer(length, output(writable[0], used));
            }
            boolean mayTryAgain = head.status() == AdminStatus.EAGAIN.number()
                    && attempt < MOST_ATTEMPTS
                    && clock.nanoTime() + pause - deadline < 0;
            if (!mayTryAgain) {
                throw refused(request, head, output(writable[0], used));
            }
            clock.pause(pause);
            pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
        }
    }

    /**
     * Executes one command with a small result.
     *
     * @return the result as the text wants it read: little-endian, as long as its space, and zero behind what the
     *     device wrote
     * @throws DeviceException as {@link #execute}
     */
    public ByteBuffer read(AdminRequest request) throws DeviceException {
        int length = execute(request);
        ByteBuffer result = request.result().duplicate().order(ByteOrder.LITTLE_ENDIAN);
        for (int at = result.position() + length; at < result.limit(); at++) {
            result.put(at, (byte) 0);
        }
        return result;
    }

    /**
     * Waits until no command is with the queue, because the lists of commands must not be changed while one is.
     *
     * @throws DeviceException EBUSY when there still is one after the time that one command may take
     */
    public void awaitIdle() throws DeviceException {
        long deadline = clock.nanoTime() + timeout.nanos();
        while (pending.get() > 0) {
            if (clock.nanoTime() - deadline >= 0) {
                throw new DeviceException(
                        Errno.EBUSY,
                        "%s has not answered %d admin commands that were sent before, so that the list of commands in "
                                        .formatted(ownerId, pending.get())
                                + "use cannot be changed; check the owner device");
            }
            clock.pause(FIRST_PAUSE_NANOS);
        }
    }

    /**
     * Head, result, and a filling of 8 to 15 bytes up to a multiple of 8. There is always a filling, because a device
     * drops what lies beyond the space: only bytes in the filling tell that the result was too small.
     */
    private static ByteBuffer[] writable(ByteBuffer result) {
        ByteBuffer head = ByteBuffer.allocate(AdminResult.HEADER_BYTES);
        if (!result.hasRemaining()) {
            return new ByteBuffer[] {head};
        }
        int filling = AdminRequest.roundUp(result.remaining() + AdminRequest.UNIT_BYTES) - result.remaining();
        return new ByteBuffer[] {head, result.slice(), ByteBuffer.allocate(filling)};
    }

    private static int output(ByteBuffer head, int used) {
        return used < AdminResult.HEADER_BYTES
                ? 0
                : head.duplicate().order(ByteOrder.LITTLE_ENDIAN).getInt(ContextLayout.OUTPUT_OFFSET);
    }

    private static int space(ByteBuffer[] buffers) {
        int space = 0;
        for (ByteBuffer buffer : buffers) {
            space += buffer.remaining();
        }
        return space;
    }

    private CompletableFuture<Integer> submit(AdminRequest request, ByteBuffer[] writable) {
        pending.incrementAndGet();
        try {
            CompletableFuture<Integer> answer = queue.submit(request.readable(), writable).toCompletableFuture();
            answer.whenComplete((used, failure) -> pending.decrementAndGet());
            return answer;
        } catch (Throwable e) { // the queue is another bundle's: whatever it throws is the device's fault
            pending.decrementAndGet();
            return CompletableFuture.failedFuture(e);
        }
    }

    private int await(AdminRequest request, CompletableFuture<Integer> answer, long deadline) throws DeviceException {
        boolean interrupted = false;
        try {
            while (true) {
                try {
                    return Objects.requireNonNull(
                            answer.get(Math.max(0, deadline - clock.nanoTime()), TimeUnit.NANOSECONDS),
                            "it did not say how many bytes were written");
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
        } catch (TimeoutException e) {
            throw new DeviceException(
                    Errno.ETIMEDOUT,
                    "%s did not answer the admin command %s within %d ms; check the owner device"
                            .formatted(ownerId, request.describe(), timeout.millis()),
                    e);
        } catch (ExecutionException e) {
            throw failed(request, e.getCause());
        } catch (RuntimeException e) { // cancelled, or completed with nothing
            throw failed(request, e);
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    private DeviceException failed(AdminRequest request, Throwable failure) {
        Throwable cause = failure instanceof CompletionException && failure.getCause() != null
                ? failure.getCause()
                : failure;
        Errno errno = cause instanceof DeviceException device ? device.errno() : Errno.EIO;
        String reason = cause.getMessage() == null ? cause.toString() : cause.getMessage();
        return new DeviceException(
                errno,
                "the admin command %s could not be executed by %s: %s"
                        .formatted(request.describe(), ownerId, reason),
                cause);
    }

    private AdminCommandException refused(AdminRequest request, AdminResult head, int output) {
        AdminStatus status = AdminStatus.ofNumber(head.status());
        AdminStatusQualifier qualifier = AdminStatusQualifier.ofNumber(head.statusQualifier());
        String unknown = status.number() == head.status() ? "" : " (unknown status %d)".formatted(head.status());
        return new CommandRefusedException(
                status,
                qualifier,
                output,
                "%s refused the admin command %s with status %s%s and qualifier %s"
                        .formatted(ownerId, request.describe(), status, unknown, qualifier));
    }
}
