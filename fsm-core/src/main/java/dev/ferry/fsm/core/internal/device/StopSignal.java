// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.time.Duration;
import java.util.Optional;

/**
 * Asks one job to stop, and tells whether it still can: whoever asks first gives the reason, and after {@link #close}
 * nobody can ask any more. The job looks at it between steps and chunks; no call is ever interrupted. Thread-safe.
 */
public final class StopSignal {

    private final Duration allowed;
    private long startNanos;
    private boolean started;
    private Failure reason;
    private boolean closed;

    private StopSignal(Duration allowed) {
        this.allowed = allowed;
    }

    /** A signal that also stops the job when a time from {@link #start} on is over. */
    public static StopSignal within(Duration allowed) {
        return new StopSignal(allowed);
    }

    /** A signal without a time limit, for work that is bounded by what its caller reads or writes. */
    public static StopSignal withoutLimit() {
        return new StopSignal(null);
    }

    /** The job begins: from now on its time runs. */
    public synchronized void start() {
        startNanos = System.nanoTime();
        started = true;
    }

    /**
     * Asks the job to stop.
     *
     * @return false when it is too late
     */
    public synchronized boolean request(Failure why) {
        if (closed) {
            return false;
        }
        if (reason == null) {
            reason = why;
        }
        return true;
    }

    /** Why the job was asked to stop, where it was. */
    public synchronized Optional<Failure> requested() {
        return Optional.ofNullable(reason);
    }

    /** Fails when the job was asked to stop or its time is over; never after {@link #close}. */
    public synchronized void check() throws MigrationException {
        if (closed) {
            return;
        }
        if (reason == null && isTimeOver()) {
            reason = Failure.of(
                    FailureCode.TIMEOUT,
                    "The migration was not ready to commit within the " + allowed.toMillis()
                            + " ms allowed: give it more time, or look in its report for the phase that is slow.");
        }
        if (reason != null) {
            throw new MigrationException(reason);
        }
    }

    /** The point of no return: fails as {@link #check} does, or no request is taken any more. */
    public synchronized void close() throws MigrationException {
        check();
        closed = true;
    }

    /** The job has ended: no request is taken any more. */
    public synchronized void end() {
        closed = true;
    }

    private boolean isTimeOver() {
        return started
                && allowed != null
                && Duration.ofNanos(System.nanoTime() - startNanos).compareTo(allowed) >= 0;
    }
}
