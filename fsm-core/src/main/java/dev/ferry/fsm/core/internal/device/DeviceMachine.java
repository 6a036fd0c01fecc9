// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.TransitionTable;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.io.IOException;
import java.util.List;
import java.util.Objects;
import java.util.Optional;
import java.util.Set;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Takes one device from state to state along the arcs of the transition table, and keeps its data transfer session.
 *
 * <p>The driver owns the state; this remembers the one it should be in, to notice a reset from elsewhere. Confined to
 * whoever holds the {@linkplain Device#reserve reservation} of the device; only {@link #currentState} may be called by
 * anybody.
 */
public final class DeviceMachine {

    private static final Logger LOG = LoggerFactory.getLogger(DeviceMachine.class);

    private final DriverCalls calls;
    private final MigrationDriver driver;
    private final Set<MigrationFeature> features;
    private final TransitionTable table;
    private final SessionPlace place;
    private final OpenSession session;
    private final Supplier<StopSignal> signal;
    private final Custody custody;

    /** Null while unknown: before the first look, and after the driver could not tell. */
    private DeviceState expected;

    /** {@code signal} gives that of the job which uses the device. */
    DeviceMachine(
            DriverCalls calls,
            MigrationDriver driver,
            Set<MigrationFeature> features,
            TransitionTable table,
            Supplier<StopSignal> signal) {
        this.calls = calls;
        this.custody = new Custody(calls.device());
        this.driver = driver;
        this.features = features;
        this.table = table;
        this.place = new SessionPlace(calls, driver);
        this.session = new OpenSession(calls);
        this.signal = signal;
    }

    /** Asks the driver and changes nothing here. Thread-safe. */
    public DeviceState currentState() throws MigrationException {
        return calls.call("asking for its state", () -> Objects.requireNonNull(driver.state(), "no state"));
    }

    /** Asks the driver and takes its word, as a new job does; drops a session that no longer belongs to the state. */
    public DeviceState sync() throws MigrationException {
        DeviceState actual = currentState();
        settle(actual);
        return actual;
    }

    /**
     * Fails unless the device is still in the state it was left in.
     *
     * @throws MigrationException DEVICE_FAILED after a reset from elsewhere; the new state is taken over
     */
    public void requireUnmoved() throws MigrationException {
        DeviceState before = expected;
        DeviceState actual = sync();
        if (before != null && before != actual) {
            throw movedFrom(before, actual);
        }
    }

    /**
     * Goes to a state, arc by arc. After a failure the device is in the last state reached, or in ERROR, and this has
     * read which.
     *
     * @return the arcs taken; none when the device is there already
     * @throws MigrationException TRANSITION_REFUSED (nothing was done), DEVICE_FAILED, STREAM_REFUSED when loaded data
     *     is not taken, PROVIDER_GONE, or what the watch throws
     */
    public List<Arc> goTo(DeviceState target, ArcWatch watch) throws MigrationException {
        List<Arc> path = wayTo(target);
        if (path.stream().anyMatch(DeviceMachine::opensSession)) {
            // Before the first arc: nobody is to wait with a device that was stopped already.
            place.request();
            place.await(signal.get());
        }
        for (Arc arc : path) {
            watch.before(calls.device(), arc);
            try {
                take(arc);
            } catch (MigrationException e) {
                watch.failed(calls.device(), arc, e.failure());
                throw e;
            }
            watch.taken(calls.device(), arc);
        }
        return path;
    }

    private static boolean opensSession(Arc arc) {
        return switch (arc.sessionEffect()) {
            case OPENS_SAVING, OPENS_RESUMING -> true;
            case NONE, CONTINUES, ENDS -> false;
        };
    }

    /** Whose the state is that it holds. */
    public Custody custody() {
        return custody;
    }

    /** Its place in the queue for data transfer sessions. */
    SessionPlace place() {
        return place;
    }

    /**
     * The arcs to a state, for a caller who {@linkplain #take takes} them one by one.
     *
     * @throws MigrationException as {@link #goTo}, before the first arc
     */
    public List<Arc> wayTo(DeviceState target) throws MigrationException {
        requireUnmoved();
        requireWay(target);
        if (target == expected) {
            arrived();
        }
        return table.path(features, expected, target);
    }

    /** How many bytes a saving session would give now if the device were stopped. */
    public long stopCopySize() throws MigrationException {
        long bytes = calls.call("asking for the size of its state", driver::stopCopySize);
        if (bytes < 0) {
            throw failure(
                    FailureCode.DEVICE_FAILED,
                    Optional.of(Errno.EINVAL),
                    "its driver gave a negative size of its state; report this to its vendor.");
        }
        return bytes;
    }

    /** What tells which pages it writes; empty when nothing can. */
    public Optional<DirtyTracker> dirtyTracker() throws MigrationException {
        return calls.call("asking for its dirty tracker", () -> Objects.requireNonNull(driver.dirtyTracker()));
    }

    /** Fails with TRANSITION_REFUSED when no way leads from the present state to another. */
    public void requireWay(DeviceState target) throws MigrationException {
        Optional<String> refusal = table.refusal(features, expected, target);
        if (refusal.isPresent()) {
            throw failure(FailureCode.TRANSITION_REFUSED, Optional.of(Errno.EINVAL), refusal.get());
        }
    }

    /** Resets the device; it is RUNNING without its old state when this returns. */
    public void reset() throws MigrationException {
        calls.call("the reset", () -> {
            driver.reset();
            return null;
        });
        dropSession();
        expected = null;
        DeviceState actual = sync();
        if (actual != DeviceState.RUNNING) {
            String message = "after a reset it is " + actual + ", not RUNNING.";
            throw failure(FailureCode.DEVICE_FAILED, Optional.empty(), message);
        }
        custody.wiped();
    }

    /** Resets the device when it was released. */
    public void resetIfReleased() throws MigrationException {
        if (custody.isReleased()) {
            reset();
        }
    }

    /** The open saving session. */
    public SavingSession savingSession() {
        return session.saving();
    }

    /** The open resuming session. */
    public ResumingSession resumingSession() {
        return session.resuming();
    }

    /** Closes the session, if one is open; the state of the device does not change. */
    void dropSession() {
        session.drop();
    }

    /** Takes one arc of a way; after a failure as {@link #goTo}. */
    public void take(Arc arc) throws MigrationException {
        Optional<DataTransferSession> opened;
        try {
            String what = "the step from " + arc.from() + " to " + arc.to();
            opened = arc == Arc.RESUMING_TO_STOP
                    ? calls.callLoading(what, () -> step(arc))
                    : calls.call(what, () -> step(arc));
        } catch (MigrationException e) {
            rereadAfter(arc, e);
            throw e;
        }
        DataTransferSession given = opened.orElse(null);
        requireReached(arc, given);
        reached(arc);
        takeSession(arc, given);
        LOG.debug("{}: {}", calls.device(), arc);
    }

    private void reached(Arc arc) {
        expected = arc.to();
        arrived();
    }

    private void arrived() {
        if (expected == DeviceState.RUNNING) {
            custody.ran();
        }
    }

    private Optional<DataTransferSession> step(Arc arc) throws IOException {
        return Objects.requireNonNull(driver.step(arc), "null instead of an empty Optional");
    }

    private void rereadAfter(Arc arc, MigrationException failure) {
        try {
            DeviceState actual = currentState();
            if (actual == arc.to()) {
                // A driver may fail a step that was taken, and RUNNING with what it holds is no reset.
                reached(arc);
                dropSession();
            } else {
                settle(actual);
            }
        } catch (MigrationException e) {
            failure.addSuppressed(e);
            expected = null;
            dropSession();
        }
    }

    private void requireReached(Arc arc, DataTransferSession opened) throws MigrationException {
        DeviceState actual;
        try {
            actual = currentState();
        } catch (MigrationException e) {
            session.close(opened);
            expected = null;
            dropSession();
            throw e;
        }
        if (actual != arc.to()) {
            session.close(opened);
            settle(actual);
            throw movedFrom(arc.to(), actual);
        }
    }

    private void takeSession(Arc arc, DataTransferSession opened) throws MigrationException {
        if (arc.sessionEffect() != Arc.SessionEffect.CONTINUES) {
            dropSession();
        }
        if (!OpenSession.fits(arc, opened)) {
            session.close(opened);
            throw failure(
                    FailureCode.DEVICE_FAILED,
                    Optional.of(Errno.EINVAL),
                    "its driver gave " + (opened == null ? "no data transfer session" : "a wrong data transfer session")
                            + " on the arc from " + arc.from() + " to " + arc.to() + "; report this to its vendor.");
        }
        session.take(opened);
    }

    private void settle(DeviceState actual) {
        if (actual == expected) {
            return;
        }
        if (actual == DeviceState.RUNNING) {
            if (expected == null) {
                custody.foundRunning();
            } else {
                // Only a reset leads here without an arc of ours, and it wipes what the device held.
                custody.wiped();
            }
        }
        expected = actual;
        dropSession();
    }

    private MigrationException movedFrom(DeviceState before, DeviceState actual) {
        return failure(
                FailureCode.DEVICE_FAILED,
                Optional.empty(),
                "it is " + actual + " where it should be " + before
                        + ": something else reset it; make sure that nothing else uses it, and try again.");
    }

    private MigrationException failure(FailureCode code, Optional<Errno> errno, String message) {
        return new MigrationException(calls.failure(code, errno, message));
    }
}
