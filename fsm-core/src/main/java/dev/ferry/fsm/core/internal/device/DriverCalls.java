// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import dev.ferry.stream.StreamException;
import java.io.IOException;
import java.util.ArrayList;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * The one way into the code of a driver and its sessions: whatever that code throws becomes a {@link
 * MigrationException} about this device, and nothing is called any more once the driver has left. No lock is held
 * during a call. Thread-safe.
 */
public final class DriverCalls {

    /** With these a device says that it does not take what was written, rather than that it is broken. */
    private static final Set<Errno> REFUSALS =
            EnumSet.of(Errno.EINVAL, Errno.EOPNOTSUPP, Errno.ENOMEM, Errno.EOVERFLOW, Errno.EFAULT);

    private final String device;

    /** The threads that are in a call now, each as often as it is in one. */
    private final List<Thread> callers = new ArrayList<>();

    private boolean gone;

    DriverCalls(String device) {
        this.device = device;
    }

    /** One call of vendor code. */
    @FunctionalInterface
    public interface Call<T> {
        /** Calls. */
        T run() throws IOException;
    }

    /** Id of the device. */
    public String device() {
        return device;
    }

    /**
     * From now on every call fails with PROVIDER_GONE. Waits for the calls under way, but for those of the calling
     * thread: a driver may withdraw itself.
     *
     * @return whether they ended in time
     */
    synchronized boolean markGone(long deadlineNanos) {
        gone = true;
        Thread self = Thread.currentThread();
        return BoundedWait.until(() -> callers.stream().allMatch(self::equals), this, deadlineNanos);
    }

    synchronized boolean isCalledBy(Thread thread) {
        return callers.contains(thread);
    }

    synchronized boolean isGone() {
        return gone;
    }

    private synchronized void enter() throws MigrationException {
        if (gone) {
            throw new MigrationException(providerGone(device));
        }
        callers.add(Thread.currentThread());
    }

    private synchronized void exit() {
        callers.remove(Thread.currentThread());
        notifyAll();
    }

    /**
     * Calls vendor code.
     *
     * @param what was tried, as the beginning of a sentence: {@code reading its state}
     * @throws MigrationException DEVICE_FAILED or PROVIDER_GONE
     */
    public <T> T call(String what, Call<T> call) throws MigrationException {
        return call(what, call, false);
    }

    /**
     * Calls vendor code that takes a stream in.
     *
     * @throws MigrationException as {@link #call}, and STREAM_REFUSED where the device says so
     */
    public <T> T callLoading(String what, Call<T> call) throws MigrationException {
        return call(what, call, true);
    }

    private <T> T call(String what, Call<T> call, boolean loading) throws MigrationException {
        enter();
        try {
            return call.run();
        } catch (IOException | RuntimeException | Error e) {
            // Errors too: code of a bundle that is taken apart throws LinkageErrors, and a driver that cannot get
            // memory must not end the way back.
            FailureCode code = loading && isRefusal(e) ? FailureCode.STREAM_REFUSED : FailureCode.DEVICE_FAILED;
            throw new MigrationException(failure(code, errnoOf(e), what + " failed: " + messageOf(e)), e);
        } finally {
            exit();
        }
    }

    /** A failure of this device; the message names it. */
    public Failure failure(FailureCode code, Optional<Errno> errno, String message) {
        return new Failure(code, Optional.empty(), Optional.of(device), errno, device + ": " + message, List.of());
    }

    static Failure providerGone(String device) {
        return Failure.of(
                FailureCode.PROVIDER_GONE,
                device,
                device + ": its driver was withdrawn; try again when its bundle is started again.");
    }

    private static boolean isRefusal(Throwable e) {
        return e instanceof StreamException
                || errnoOf(e).filter(REFUSALS::contains).isPresent();
    }

    private static Optional<Errno> errnoOf(Throwable e) {
        return e instanceof DeviceException failed ? Optional.of(failed.errno()) : Optional.empty();
    }

    private static String messageOf(Throwable e) {
        if (e instanceof StreamException malformed) {
            return "at byte " + malformed.offset() + " of the stream: " + malformed.getMessage();
        }
        return e instanceof DeviceException ? e.getMessage() : e.toString();
    }
}
