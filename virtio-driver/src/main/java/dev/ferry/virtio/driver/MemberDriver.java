// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.FunctionReset;
import dev.ferry.virtio.driver.command.CommandTimeout;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Migrates one member of an owner device by admin commands: states, gate, resets and departure, whatever the command
 * set. What an arc does at the device is the subclass's.
 *
 * <p>The driver is driven by one caller at a time, a {@link #reset} may come on another thread at any moment and wins.
 */
public abstract class MemberDriver implements MigrationDriver, DriverAccess {
    private static final Logger LOG = LoggerFactory.getLogger(MemberDriver.class);

    private static final Set<MigrationFeature> FEATURES = Collections.unmodifiableSet(
            EnumSet.of(MigrationFeature.STOP_COPY, MigrationFeature.P2P, MigrationFeature.PRE_COPY));

    private final String deviceId;
    private final String ownerId;
    private final int member;
    private final Optional<FunctionReset> functionReset;
    private final MemberSessions sessions;
    private final Optional<DepartingTracker> dirtyTracker;
    private final CommandTimeout timeout;
    private final int commandsPerOperation;
    private final StateGate gate;
    private volatile boolean departed;

    /** A command that sets a mode. */
    @FunctionalInterface
    protected interface ModeCommand {
        /** Executes it. */
        void execute() throws DeviceException;
    }

    /**
     * A driver in RUNNING.
     *
     * @param functionReset resets a member, where the owner's queue service can
     * @param dirtyTracker tells the member's writes, where something can; stopped when the driver leaves
     * @param commandsPerOperation most commands of one operation; whoever waits at the gate waits for all of them
     */
    @SuppressWarnings("this-escape") // nobody can be at the gate before the driver is there
    protected MemberDriver(
            String deviceId,
            String ownerId,
            int member,
            Optional<FunctionReset> functionReset,
            MemberSessions sessions,
            Optional<DirtyTracker> dirtyTracker,
            CommandTimeout timeout,
            int commandsPerOperation) {
        this.deviceId = deviceId;
        this.ownerId = ownerId;
        this.member = member;
        this.functionReset = functionReset;
        this.sessions = sessions;
        this.dirtyTracker =
                dirtyTracker.map(tracker -> new DepartingTracker(deviceId, tracker, this::gateTimeoutNanos));
        this.timeout = timeout;
        this.commandsPerOperation = commandsPerOperation;
        this.gate = new StateGate(deviceId, this::finishReset);
    }

    /** Does at the device what an arc from the present state asks for. Within the gate. */
    protected abstract Optional<DataTransferSession> perform(Arc arc) throws DeviceException;

    /** Sets the device to work, in whatever mode it is. Within the gate. */
    protected abstract void setRunning() throws DeviceException;

    /** The function was reset; brings its mode to that of RUNNING where a reset does not. Within the gate. */
    protected abstract void functionWasReset() throws DeviceException;

    /** The device leaves, and its sessions have ended: the last occasion to tidy up at the device. Within the gate. */
    protected void tidyUp() {}

    /** The device has left: the last call, in the gate or, when that could not be entered in time, outside. */
    protected void departed() {}

    /** The sessions of the member. */
    protected final MemberSessions sessions() {
        return sessions;
    }

    /** Nobody knows the mode of the device any more; only a reset helps. Within the gate. */
    protected final void fail() {
        gate.advance(DeviceState.ERROR);
    }

    /** Its number in the group. */
    protected final int member() {
        return member;
    }

    /** The refusal of an arc that devices with P2P states do not have. */
    protected final DeviceException noSuchArc(Arc arc) {
        return new DeviceException(Errno.EINVAL, "%s has P2P states and takes no %s".formatted(deviceId, arc));
    }

    @Override
    public final Set<MigrationFeature> features() {
        return FEATURES;
    }

    @Override
    public final DeviceState state() {
        return gate.state();
    }

    @Override
    public final Optional<DataTransferSession> step(Arc arc) throws DeviceException {
        return inGate(() -> {
            if (arc.from() != gate.state()) {
                throw new DeviceException(
                        Errno.EINVAL, "%s is in %s and cannot take %s".formatted(deviceId, gate.state(), arc));
            }
            Optional<DataTransferSession> opened = perform(arc);
            gate.advance(arc.to());
            return opened;
        });
    }

    /**
     * Stops or resumes the device. When the device itself did not refuse, nobody knows the mode: a queue that fails may
     * do so after the device executed the command. Then the mode before is set again, behind the first command in the
     * queue, and where that fails as well the device is in ERROR.
     */
    protected final void changeMode(ModeCommand to, ModeCommand back) throws DeviceException {
        try {
            to.execute();
        } catch (AdminCommandException e) {
            throw e; // the device answered and is as before
        } catch (DeviceException e) {
            restoreMode(back, e);
            throw e;
        }
    }

    private void restoreMode(ModeCommand back, DeviceException first) {
        try {
            back.execute();
        } catch (DeviceException e) {
            first.addSuppressed(e);
            gate.advance(DeviceState.ERROR);
        }
    }

    @Override
    public final long stopCopySize() throws DeviceException {
        return inGate(sessions::imageSize);
    }

    @Override
    public final Optional<DirtyTracker> dirtyTracker() {
        return dirtyTracker.map(DirtyTracker.class::cast);
    }

    /**
     * {@inheritDoc}
     *
     * <p>With nobody in the gate: sessions end at the device, then the function is reset. During an operation: the
     * function is reset at once, and the operation ends the sessions when it is over. Where the owner's queue service
     * cannot reset functions, a running device stays as it is; any other loses its sessions and is in ERROR, stopped:
     * resuming it could set a half loaded state to work on a guest's memory.
     */
    @Override
    public final void reset() throws DeviceException {
        if (functionReset.isEmpty()) {
            refuseReset();
        } else {
            reset(functionReset.get());
        }
    }

    private void reset(FunctionReset function) throws DeviceException {
        if (!gate.tryEnter()) {
            sessions.markDead();
            function.resetFunction(member);
            gate.deferReset();
            return;
        }
        boolean done = false;
        try {
            sessions.kill();
            function.resetFunction(member);
            functionWasReset();
            done = true;
        } finally {
            gate.advance(done ? DeviceState.RUNNING : DeviceState.ERROR);
            gate.leave();
        }
    }

    private void refuseReset() throws DeviceException {
        if (gate.tryEnter()) {
            try {
                if (gate.state() != DeviceState.RUNNING) {
                    gate.advance(DeviceState.ERROR);
                    sessions.kill();
                }
            } finally {
                gate.leave();
            }
        }
        throw new DeviceException(
                Errno.EOPNOTSUPP,
                "%s cannot be reset: the admin queue service of %s resets no functions; use the means of its host"
                        .formatted(deviceId, ownerId));
    }

    /**
     * Ends what the operation that was overtaken by a reset has left. The operation may have stopped the device after
     * the reset, so it is told to run, which does no harm to one that runs.
     */
    private void finishReset() {
        sessions.kill();
        try {
            setRunning();
        } catch (DeviceException e) {
            gate.advance(DeviceState.ERROR);
            LOG.warn("{} was reset during an operation and may be stopped: {}", deviceId, e.getMessage());
        }
    }

    /**
     * The device leaves with its owner or its bundle: ends a session that is still open, and a record of its writes;
     * every later use fails with ENODEV. Waits for a call of the record that is under way, then for an operation, each
     * within the bound of the gate; behind a call that goes on the record is not ended.
     */
    public final void depart() {
        departed = true;
        sessions.markDead();
        dirtyTracker.ifPresent(this::end);
        try {
            gate.enter(gateTimeoutNanos());
        } catch (DeviceException e) {
            LOG.warn("{} leaves during an operation; what it holds at the device may stay: {}",
                    deviceId, e.getMessage());
            departed();
            return;
        }
        try {
            sessions.kill();
            tidyUp();
        } finally {
            departed();
            gate.leave();
        }
    }

    /** Recording has nothing to do with states and sessions, so it ends outside the gate. */
    private void end(DepartingTracker tracker) {
        try {
            tracker.depart();
        } catch (DeviceException | RuntimeException e) {
            LOG.warn("{} leaves, and goes on recording its writes, for all anybody knows", deviceId, e);
        }
    }

    @Override
    public final String deviceId() {
        return deviceId;
    }

    @Override
    public final <T> T inGate(GatedOperation<T> operation) throws DeviceException {
        gate.enter(gateTimeoutNanos());
        try {
            if (departed) {
                throw new DeviceException(Errno.ENODEV, deviceId + " is no longer served by its provider");
            }
            return operation.run();
        } finally {
            gate.leave();
        }
    }

    @Override
    public final void requirePreCopy() throws DeviceException {
        DeviceState state = gate.state();
        if (state != DeviceState.PRE_COPY && state != DeviceState.PRE_COPY_P2P) {
            throw new DeviceException(
                    Errno.EINVAL, "%s is in %s, where there is no pre-copy information".formatted(deviceId, state));
        }
    }

    private long gateTimeoutNanos() {
        return commandsPerOperation * timeout.nanos();
    }
}
