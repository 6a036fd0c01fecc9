// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.DeviceProfile;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.SessionTicket;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.stream.StreamFormat;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.DevMode;
import dev.ferry.virtio.FunctionReset;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.LongSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Migrates one virtio-net member with admin commands to its owner device; arc by arc as the kernel's driver
 * (drivers/vfio/pci/virtio/migrate.c), except that RESUMING ends only with a complete state.
 *
 * <p>Virtio knows two modes, running and stopped. A stopped device initiates nothing and still takes accesses, which is
 * RUNNING_P2P; STOP is nothing stronger. The driver is driven by one caller at a time, a {@link #reset} may come on
 * another thread at any moment and wins.
 */
final class VirtioNetDriver implements MigrationDriver, DriverAccess {
    private static final Logger LOG = LoggerFactory.getLogger(VirtioNetDriver.class);

    /** An operation is a handful of commands; whoever waits at the gate waits for all of them. */
    private static final int COMMANDS_PER_OPERATION = 6;

    private static final Set<MigrationFeature> FEATURES = Collections.unmodifiableSet(
            EnumSet.of(MigrationFeature.STOP_COPY, MigrationFeature.P2P, MigrationFeature.PRE_COPY));

    private final String deviceId;
    private final OwnerDevice owner;
    private final int member;
    private final CommandTimeout timeout;
    private final MemberIds ids;
    private final MemberSessions sessions;
    private final StateGate gate;
    private volatile boolean departed;

    VirtioNetDriver(
            String deviceId,
            OwnerDevice owner,
            int member,
            StreamFormat format,
            CommandTimeout timeout,
            LongSupplier nanoTime) {
        this.deviceId = deviceId;
        this.owner = owner;
        this.member = member;
        this.timeout = timeout;
        this.ids = new MemberIds(deviceId, owner.ids());
        this.sessions = new MemberSessions(owner, member, ids, format, nanoTime);
        this.gate = new StateGate(deviceId, this::finishReset);
    }

    @Override
    public Set<MigrationFeature> features() {
        return FEATURES;
    }

    @Override
    public DeviceState state() {
        return gate.state();
    }

    @Override
    public Optional<DataTransferSession> step(Arc arc) throws DeviceException {
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

    private Optional<DataTransferSession> perform(Arc arc) throws DeviceException {
        switch (arc) {
            case RUNNING_TO_RUNNING_P2P, PRE_COPY_TO_PRE_COPY_P2P -> changeMode(DevMode.FLAG_STOPPED, DevMode.RUNNING);
            case RUNNING_P2P_TO_RUNNING, PRE_COPY_P2P_TO_PRE_COPY -> changeMode(DevMode.RUNNING, DevMode.FLAG_STOPPED);
            case RUNNING_P2P_TO_STOP, STOP_TO_RUNNING_P2P -> {
                // The device is stopped in both; virtio has nothing stronger.
            }
            case STOP_TO_STOP_COPY -> {
                return Optional.of(sessions.openSaving(this, PartsSavingSession::captureFinal));
            }
            case RUNNING_TO_PRE_COPY, RUNNING_P2P_TO_PRE_COPY_P2P -> {
                return Optional.of(sessions.openSaving(this, PartsSavingSession::captureInitial));
            }
            case PRE_COPY_P2P_TO_STOP_COPY -> sessions.saving().captureFinal();
            case STOP_COPY_TO_STOP, PRE_COPY_TO_RUNNING, PRE_COPY_P2P_TO_RUNNING_P2P -> sessions.kill();
            case STOP_TO_RESUMING -> {
                return Optional.of(sessions.openResuming(this));
            }
            case RESUMING_TO_STOP -> {
                sessions.resuming().requireComplete();
                sessions.kill();
            }
            case STOP_TO_RUNNING, RUNNING_TO_STOP, PRE_COPY_TO_STOP_COPY ->
                    throw new DeviceException(
                            Errno.EINVAL, "%s has P2P states and takes no %s".formatted(deviceId, arc));
        }
        return Optional.empty();
    }

    /**
     * Stops or resumes the device. When the device itself did not refuse, nobody knows the mode: a queue that fails may
     * do so after the device executed the command. Then the mode before is set again, behind the first command in the
     * queue, and where that fails as well the device is in ERROR.
     */
    private void changeMode(int flags, int flagsBefore) throws DeviceException {
        try {
            setMode(flags);
        } catch (AdminCommandException e) {
            throw e; // the device answered and is as before
        } catch (DeviceException e) {
            restoreMode(flagsBefore, e);
            throw e;
        }
    }

    private void restoreMode(int flags, DeviceException first) {
        try {
            setMode(flags);
        } catch (DeviceException e) {
            first.addSuppressed(e);
            gate.advance(DeviceState.ERROR);
        }
    }

    private void setMode(int flags) throws DeviceException {
        owner.channel().execute(AdminRequest.toMember(
                AdminOpcode.DEV_MODE_SET, member, DevMode.BYTES, data -> data.put((byte) flags)));
    }

    @Override
    public long stopCopySize() throws DeviceException {
        return inGate(() -> sessions.ask(PartsObject::devicePartsSize));
    }

    @Override
    public SessionTicket requestSession() throws DeviceException {
        return ids.request();
    }

    @Override
    public Optional<DeviceProfile> profile() throws DeviceException {
        return Optional.of(inGate(() -> sessions.ask(PartsProfile::read)));
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
    public void reset() throws DeviceException {
        if (owner.functionReset().isEmpty()) {
            refuseReset();
        } else {
            reset(owner.functionReset().get());
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
                        .formatted(deviceId, owner.id()));
    }

    /**
     * Ends what the operation that was overtaken by a reset has left. The operation may have stopped the device after
     * the reset, so it is told to run, which does no harm to one that runs.
     */
    private void finishReset() {
        sessions.kill();
        try {
            setMode(DevMode.RUNNING);
        } catch (DeviceException e) {
            gate.advance(DeviceState.ERROR);
            LOG.warn("{} was reset during an operation and may be stopped: {}", deviceId, e.getMessage());
        }
    }

    /**
     * The device leaves with its owner or its bundle: ends a session that is still open; every later use fails with
     * ENODEV. Waits for an operation that is under way, within the bound of the gate.
     */
    void depart() {
        departed = true;
        sessions.markDead();
        try {
            gate.enter(gateTimeoutNanos());
        } catch (DeviceException e) {
            LOG.warn("{} leaves during an operation; its device parts object may stay: {}", deviceId, e.getMessage());
            ids.depart();
            return;
        }
        try {
            sessions.kill();
            owner.lost().retryAllOf(member);
        } finally {
            ids.depart();
            gate.leave();
        }
    }

    @Override
    public String deviceId() {
        return deviceId;
    }

    @Override
    public <T> T inGate(GatedOperation<T> operation) throws DeviceException {
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
    public void requirePreCopy() throws DeviceException {
        DeviceState state = gate.state();
        if (state != DeviceState.PRE_COPY && state != DeviceState.PRE_COPY_P2P) {
            throw new DeviceException(
                    Errno.EINVAL, "%s is in %s, where there is no pre-copy information".formatted(deviceId, state));
        }
    }

    private long gateTimeoutNanos() {
        return COMMANDS_PER_OPERATION * timeout.nanos();
    }
}
