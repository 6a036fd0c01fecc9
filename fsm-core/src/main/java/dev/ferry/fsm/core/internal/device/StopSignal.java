// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.time.Duration;
import java.util.Optional;

/**
 * Asks one job to stop, and tells whether it still can: whoever asks first gives the reason, and after {@link #close}
 * nobody can ask any more. A time that is over asks as well. The job looks at it between steps and chunks; no call is
 * ever interrupted. Thread-safe.
 */
public final class StopSignal implements Gate {

    /** Nobody looks between the steps of one call. */
    private static final String SEEN_LATE =
            " That was seen after %d ms, as a call of a device or a guest that is under way is waited for.";

    /** Later than this is worth a word. */
    private static final Duration LATE = Duration.ofMillis(50);

    private final TimeSource clock;
    private final Deadline total = new Deadline();
    private final Deadline phase = new Deadline();
    private final Deadline progress = new Deadline();
    private final Duration allowed;
    private final Duration allowedWithoutProgress;
    private String phaseName = "";
    private Failure reason;
    private boolean closed;

    private StopSignal(TimeSource clock, Duration allowed, Duration allowedWithoutProgress) {
        this.clock = clock;
        this.allowed = allowed;
        this.allowedWithoutProgress = allowedWithoutProgress;
    }

    /** A signal that also stops the job when a time from {@link #start} on is over, or one without progress. */
    public static StopSignal within(TimeSource clock, Duration allowed, Duration allowedWithoutProgress) {
        return new StopSignal(clock, allowed, allowedWithoutProgress);
    }

    /** A signal without a time limit, for work that is bounded by what its caller reads or writes. */
    public static StopSignal withoutLimit() {
        return new StopSignal(TimeSource.SYSTEM, null, null);
    }

    /** The job begins: from now on its time runs. */
    public synchronized void start() {
        total.begin(allowed);
    }

    /** A phase begins, which has a time of its own or none; that of the one before may be over by now. */
    public synchronized void startPhase(String name, Optional<Duration> allowedInPhase) {
        if (!closed && reason == null) {
            reason = timeOver();
        }
        phaseName = name;
        phase.begin(allowedInPhase.orElse(null));
    }

    /** Something was achieved: the time without progress begins, or begins again. */
    public synchronized void progress() {
        progress.begin(allowedWithoutProgress);
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
    @Override
    public synchronized void check() throws MigrationException {
        if (isAsked()) {
            throw new MigrationException(reason);
        }
    }

    /** Whether {@link #check} fails now. */
    public synchronized boolean isAsked() {
        if (!closed && reason == null) {
            reason = timeOver();
        }
        return !closed && reason != null;
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

    private Failure timeOver() {
        if (total.isOver()) {
            return total.timeout("The migration was not ready to commit within the " + total.millis()
                    + " ms allowed: give it more time, or look in its report for the phase that is slow.");
        }
        if (phase.isOver()) {
            return phase.timeout("The phase " + phaseName + " did not end within the " + phase.millis()
                    + " ms allowed for it: give it more time.");
        }
        if (progress.isOver()) {
            return progress.timeout("Nothing was carried and no device moved for " + progress.millis()
                    + " ms: look whether the devices still answer, or allow more time without progress.");
        }
        return null;
    }

    /** One clock that runs from a moment on, or not at all. */
    private final class Deadline {
        private Duration limit;
        private long start;

        void begin(Duration allowedFromNow) {
            limit = allowedFromNow;
            start = clock.nanos();
        }

        boolean isOver() {
            return limit != null && elapsed().compareTo(limit) >= 0;
        }

        private Duration elapsed() {
            return Duration.ofNanos(clock.nanos() - start);
        }

        Failure timeout(String message) {
            boolean late = elapsed().minus(limit).compareTo(LATE) >= 0;
            String seen = late ? SEEN_LATE.formatted(elapsed().toMillis()) : "";
            return Failure.of(FailureCode.TIMEOUT, message + seen);
        }

        long millis() {
            return limit.toMillis();
        }
    }
}
