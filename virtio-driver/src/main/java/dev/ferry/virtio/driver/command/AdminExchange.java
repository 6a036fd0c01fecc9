// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver.command;

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
import java.util.stream.Stream;

/**
 * Executes admin commands on the queue of one owner device, both parts with exactly the bytes that were given, each
 * command within a bounded time.
 *
 * <p>A command that answers EAGAIN is sent again, a bounded number of times. After a time-out the buffers of the
 * command still belong to the queue; nobody here uses them again. Thread-safe; a call waits for the device on the
 * caller's thread. An interrupt does not end the wait, which is bounded anyway, and is kept for the caller.
 */
public final class AdminExchange {

    /** How often a command is sent before EAGAIN is taken for an answer. */
    static final int MOST_ATTEMPTS = 10;

    private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    private static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(100);

    private final String ownerId;
    private final AdminQueue queue;
    private final CommandTimeout timeout;
    private final Clock clock;

    /** Commands that the queue was given and has not answered, those too for which nobody waits any more. */
    private final AtomicInteger pending = new AtomicInteger();

    /** Time as the exchange sees it. */
    public interface Clock {
        /** As {@link System#nanoTime}. */
        long nanoTime();

        /** Waits, without regard to interrupts shorter than asked for. */
        void pause(long nanos);
    }

    /** Exchanges with the queue of one owner device. */
    public AdminExchange(String ownerId, AdminQueue queue, CommandTimeout timeout, Clock clock) {
        this.ownerId = ownerId;
        this.queue = queue;
        this.timeout = timeout;
        this.clock = clock;
    }

    /**
     * What a device answered.
     *
     * @param length bytes behind the head
     * @param output the command-specific output, where a command set has one; else 0
     */
    public record Answer(int length, int output) {}

    /**
     * Executes one command whose writable part is a head and the result.
     *
     * @return the result as the text wants it read: little-endian, as long as its space, and zero behind what the
     *     device wrote
     * @throws AdminCommandException for a status other than OK
     * @throws DeviceException ETIMEDOUT without an answer in time; ENODEV, EIO and others as the queue gives them; EIO
     *     for whatever else goes wrong in the queue. Nobody knows then whether the device executed the command
     */
    public ByteBuffer read(AdminRequest request) throws DeviceException {
        return zeroBehind(perform(request, request.result().slice()).length(), request);
    }

    /** The result with zeros behind the bytes that the device wrote. */
    static ByteBuffer zeroBehind(int length, AdminRequest request) {
        ByteBuffer result = request.result().duplicate().order(ByteOrder.LITTLE_ENDIAN);
        for (int at = result.position() + length; at < result.limit(); at++) {
            result.put(at, (byte) 0);
        }
        return result;
    }

    /**
     * Executes one command whose writable part is a head and the given buffers; empty ones are left out.
     *
     * @throws CommandRefusedException for a status other than OK, with the output
     * @throws DeviceException as {@link #read}
     */
    Answer perform(AdminRequest request, ByteBuffer... behindHead) throws DeviceException {
        long deadline = clock.nanoTime() + timeout.nanos();
        ByteBuffer head = ByteBuffer.allocate(AdminResult.HEADER_BYTES);
        ByteBuffer[] writable = Stream.concat(
                        Stream.of(head), Stream.of(behindHead).filter(ByteBuffer::hasRemaining))
                .toArray(ByteBuffer[]::new);
        long pause = FIRST_PAUSE_NANOS;
        for (int attempt = 1; ; attempt++) {
            int used = await(request, submit(request, writable), deadline);
            AdminResult result = AdminResult.decode(head, used);
            if (result.isOk()) {
                int length = Math.max(0, Math.min(used, space(writable)) - AdminResult.HEADER_BYTES);
                return new Answer(length, output(head, used));
            }
            boolean mayTryAgain = result.status() == AdminStatus.EAGAIN.number()
                    && attempt < MOST_ATTEMPTS
                    && clock.nanoTime() + pause - deadline < 0;
            if (!mayTryAgain) {
                throw refused(request, result, output(head, used));
            }
            clock.pause(pause);
            pause = Math.min(2 * pause, LONGEST_PAUSE_NANOS);
        }
    }

    /**
     * Waits until no command of this exchange is with the queue; those of other bundles are not seen here.
     *
     * @throws DeviceException EBUSY when there still is one after the time that one command may take
     */
    void awaitIdle() throws DeviceException {
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

    private AdminCommandException refused(AdminRequest request, AdminResult result, int output) {
        AdminStatus status = AdminStatus.ofNumber(result.status());
        AdminStatusQualifier qualifier = AdminStatusQualifier.ofNumber(result.statusQualifier());
        String unknown = status.number() == result.status()
                ? ""
                : " (unknown status %d)".formatted(result.status());
        return new CommandRefusedException(
                status,
                qualifier,
                output,
                "%s refused the admin command %s with status %s%s and qualifier %s"
                        .formatted(ownerId, request.describe(), status, unknown, qualifier));
    }
}
