// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.DeviceProfile;
import dev.ferry.device.SessionTicket;
import dev.ferry.fsm.Arc;
import dev.ferry.stream.StreamFormat;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.DevMode;
import dev.ferry.virtio.driver.ImageSavingSession;
import dev.ferry.virtio.driver.MemberDriver;
import dev.ferry.virtio.driver.MemberSessions;
import dev.ferry.virtio.driver.command.AdminRequest;
import dev.ferry.virtio.driver.command.CommandTimeout;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Migrates one virtio-net member with admin commands to its owner device; arc by arc as the kernel's driver
 * (drivers/vfio/pci/virtio/migrate.c), except that RESUMING ends only with a complete state.
 *
 * <p>Virtio knows two modes, running and stopped. A stopped device initiates nothing and still takes accesses, which is
 * RUNNING_P2P; STOP is nothing stronger.
 */
final class VirtioNetDriver extends MemberDriver {
    /** An operation is a handful of commands; whoever waits at the gate waits for all of them. */
    private static final int COMMANDS_PER_OPERATION = 6;

    private final OwnerDevice owner;

    private final MemberIds ids;

    VirtioNetDriver(
            String deviceId,
            OwnerDevice owner,
            int member,
            StreamFormat format,
            CommandTimeout timeout,
            LongSupplier nanoTime) {
        this(
                deviceId,
                owner,
                member,
                new MemberIds(deviceId, owner.ids(), owner.lost()::retryOne),
                format,
                timeout,
                nanoTime);
    }

    private VirtioNetDriver(
            String deviceId,
            OwnerDevice owner,
            int member,
            MemberIds ids,
            StreamFormat format,
            CommandTimeout timeout,
            LongSupplier nanoTime) {
        super(
                deviceId,
                owner.id(),
                member,
                owner.functionReset(),
                new MemberSessions(purpose -> PartsObject.create(owner, member, ids, purpose), format, nanoTime),
                // Virtio 1.4 has no write tracking, so it is the host's, as with Linux.
                owner.dirtyTracking().flatMap(tracking -> tracking.dirtyTracker(member)),
                timeout,
                COMMANDS_PER_OPERATION);
        this.owner = owner;
        this.ids = ids;
    }

    @Override
    public SessionTicket requestSession() throws DeviceException {
        return ids.request();
    }

    @Override
    public Optional<DeviceProfile> profile() throws DeviceException {
        // The sessions of this driver have no other devices.
        return Optional.of(inGate(
                () -> sessions().ask(object -> PartsProfile.read(((PartsObject) object).questions()))));
    }

    @Override
    protected void tidyUp() {
        owner.lost().retryAllOf(member());
    }

    @Override
    protected void departed() {
        ids.depart();
    }

    @Override
    protected Optional<DataTransferSession> perform(Arc arc) throws DeviceException {
        switch (arc) {
            case RUNNING_TO_RUNNING_P2P, PRE_COPY_TO_PRE_COPY_P2P -> changeMode(this::setStopped, this::setRunning);
            case RUNNING_P2P_TO_RUNNING, PRE_COPY_P2P_TO_PRE_COPY -> changeMode(this::setRunning, this::setStopped);
            case RUNNING_P2P_TO_STOP, STOP_TO_RUNNING_P2P -> {
                // The device is stopped in both; virtio has nothing stronger.
            }
            case STOP_TO_STOP_COPY -> {
                return Optional.of(sessions().openSaving(this, ImageSavingSession::captureFinal));
            }
            case RUNNING_TO_PRE_COPY, RUNNING_P2P_TO_PRE_COPY_P2P -> {
                return Optional.of(sessions().openSaving(this, ImageSavingSession::captureInitial));
            }
            case PRE_COPY_P2P_TO_STOP_COPY -> sessions().saving().captureFinal();
            case STOP_COPY_TO_STOP, PRE_COPY_TO_RUNNING, PRE_COPY_P2P_TO_RUNNING_P2P -> sessions().kill();
            case STOP_TO_RESUMING -> {
                return Optional.of(sessions().openResuming(this));
            }
            case RESUMING_TO_STOP -> {
                sessions().resuming().requireComplete();
                sessions().kill();
            }
            case STOP_TO_RUNNING, RUNNING_TO_STOP, PRE_COPY_TO_STOP_COPY -> throw noSuchArc(arc);
        }
        return Optional.empty();
    }

    private void setStopped() throws DeviceException {
        setMode(DevMode.FLAG_STOPPED);
    }

    @Override
    protected void setRunning() throws DeviceException {
        setMode(DevMode.RUNNING);
    }

    /** A reset by the host leaves a device of virtio 1.4 running. */
    @Override
    protected void functionWasReset() {}

    private void setMode(int flags) throws DeviceException {
        owner.channel().execute(AdminRequest.toMember(
                AdminOpcode.DEV_MODE_SET, member(), DevMode.BYTES, data -> data.put((byte) flags)));
    }
}
