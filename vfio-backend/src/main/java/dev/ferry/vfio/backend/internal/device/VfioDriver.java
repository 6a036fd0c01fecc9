// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.vfio.backend.internal.device.VfioDevice.StateSet;
import dev.ferry.vfio.backend.internal.device.VfioDevice.Whereabouts;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import java.util.Optional;
import java.util.Set;
import java.util.function.IntSupplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Migrates one open VFIO device, an arc at a time; {@code VFIO_DEVICE_FEATURE_MIG_DEVICE_STATE} of {@code
 * linux/vfio.h}.
 *
 * <p>The kernel owns the state: it is asked for, never remembered, because a reset by somebody else, or a request that
 * failed half-way, leaves the device anywhere. One session at most is alive; every request that fails, and every arc
 * that ends it, drops it with its descriptor.
 */
public final class VfioDriver implements MigrationDriver, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(VfioDriver.class);

    private final VfioDevice device;
    private final Abilities abilities;
    private final Optional<DirtyTracker> dirtyTracker;
    private final IntSupplier dataTimeoutMillis;
    final TransferBuffer transfer = new TransferBuffer();
    private final SessionSlot session = new SessionSlot();

    /**
     * A driver for an open device, which stays its opener's until this returns.
     *
     * @param abilities what it said that it can do
     * @param dataTimeoutMillis how long one transfer of data may wait for the device; asked before each
     */
    public VfioDriver(
            VfioDevice device,
            Abilities abilities,
            Optional<DirtyTracker> dirtyTracker,
            IntSupplier dataTimeoutMillis) {
        this.device = device;
        this.abilities = abilities;
        this.dirtyTracker = dirtyTracker;
        this.dataTimeoutMillis = dataTimeoutMillis;
    }

    @Override
    public Set<MigrationFeature> features() {
        return abilities.features();
    }

    @Override
    public DeviceState state() throws DeviceException {
        return device.state();
    }

    @Override
    public Optional<DataTransferSession> step(Arc arc) throws DeviceException {
        requirePossible(arc);
        requirePresent(arc.from(), arc);
        switch (arc.sessionEffect()) {
            case CONTINUES -> requireSaving(arc);
            case ENDS -> requireLoaded(arc);
            case NONE, OPENS_SAVING, OPENS_RESUMING -> {
                // There is no session before.
            }
        }
        StateSet set = device.setState(arc.to());
        if (set.error() != 0) {
            throw refused(arc, set);
        }
        switch (arc.sessionEffect()) {
            case OPENS_SAVING, OPENS_RESUMING -> {
                return Optional.of(open(arc, set));
            }
            case CONTINUES -> {
                requireNoDescriptor(arc, set);
                beginFinalPart(arc);
            }
            case NONE, ENDS -> {
                requireNoDescriptor(arc, set);
                session.clear();
            }
        }
        return Optional.empty();
    }

    private void requirePossible(Arc arc) throws DeviceException {
        if (!arc.isSupportedBy(abilities.features())) {
            throw new DeviceException(Errno.EOPNOTSUPP, "%s has no arc %s: its features are %s"
                    .formatted(device.name(), arc, abilities.features()));
        }
    }

    private void requirePresent(DeviceState from, Arc arc) throws DeviceException {
        DeviceState now;
        try {
            now = device.state();
        } catch (DeviceException e) {
            throw failed(arc, e.errno(), KernelException.what(e), device.whereabouts(), e);
        }
        if (now != from) {
            dropIfEnded(now);
            throw new DeviceException(
                    Errno.EINVAL, "%s is in %s and cannot take %s".formatted(device.name(), now, arc));
        }
    }

    /** Somebody else took the device elsewhere; a session goes with its states. */
    private void dropIfEnded(DeviceState now) {
        boolean alive = session.present()
                .filter(present -> present instanceof VfioSavingSession ? now.isSaving() : now == DeviceState.RESUMING)
                .isPresent();
        if (!alive) {
            session.clear();
        }
    }

    /** A process that ended, or a reset, took the session: its data are lost even where the kernel would go on. */
    private void requireSaving(Arc arc) throws DeviceException {
        if (!(session.present().orElse(null) instanceof VfioSavingSession)) {
            throw new DeviceException(Errno.ENODEV, "%s cannot take %s: the session that read its state is gone; %s"
                    .formatted(device.name(), arc, "end the state, or reset the device"));
        }
    }

    private void requireLoaded(Arc arc) throws DeviceException {
        if (arc != Arc.RESUMING_TO_STOP) {
            return;
        }
        if (!(session.present().orElse(null) instanceof VfioResumingSession resuming)) {
            throw new DeviceException(Errno.EINVAL,
                    "the session that loaded the state of %s is gone; reset the device".formatted(device.name()));
        }
        resuming.requireComplete();
    }

    private DataTransferSession open(Arc arc, StateSet set) throws DeviceException {
        if (set.dataFd() < 0) {
            throw left(arc, Errno.EIO, "the kernel gave no data descriptor", null);
        }
        DataDescriptor data = new DataDescriptor(device.calls(), set.dataFd());
        if (arc.to() == DeviceState.RESUMING) {
            return alive(arc, new VfioResumingSession(device, data, transfer, abilities.config(), dataTimeoutMillis));
        }
        VfioSavingSession opened = new VfioSavingSession(
                device, data, transfer, abilities.config(), abilities.precopyFlagsAreReliable(), dataTimeoutMillis);
        if (arc.to() == DeviceState.STOP_COPY) {
            opened.beginFinalPart();
        }
        return alive(arc, opened);
    }

    private <S extends VfioSession> S alive(Arc arc, S opened) throws DeviceException {
        if (!session.put(opened)) {
            throw left(arc, Errno.ENODEV, "the device is given back", null);
        }
        return opened;
    }

    private void requireNoDescriptor(Arc arc, StateSet set) throws DeviceException {
        if (set.dataFd() >= 0) {
            device.calls().close(set.dataFd());
            throw left(arc, Errno.EIO, "the kernel gave a data descriptor where none belongs", null);
        }
    }

    private void beginFinalPart(Arc arc) {
        if (arc.to() == DeviceState.STOP_COPY && session.present().orElse(null) instanceof VfioSavingSession saving) {
            saving.beginFinalPart();
        }
    }

    /** The kernel said no. It may have walked a part of the way, or all of it. */
    private DeviceException refused(Arc arc, StateSet set) {
        KernelException cause = new KernelException(
                device.name(), "VFIO_DEVICE_FEATURE SET MIG_DEVICE_STATE " + arc.to(), set.error());
        return left(arc, cause.errno(), KernelException.what(cause), cause);
    }

    /**
     * Ends the session, which no failure outlives, and says where the device is. One that went on to save without a
     * session is led back to where it was: a saving state may always be given up. RESUMING may not: the device has let
     * go of the state it had, and only a reset leads out.
     */
    private DeviceException left(Arc arc, Errno errno, String what, KernelException cause) {
        session.clear();
        Whereabouts now = device.whereabouts();
        if (now.state().equals(Optional.of(arc.to())) && arc.sessionEffect() == Arc.SessionEffect.OPENS_SAVING) {
            giveUpSaving(arc);
            now = device.whereabouts();
        }
        return failed(arc, errno, what, now, cause);
    }

    private void giveUpSaving(Arc arc) {
        StateSet back = device.setState(arc.from());
        if (back.dataFd() >= 0) {
            device.calls().close(back.dataFd());
        }
        if (back.error() != 0) {
            LOG.warn("{} could not be led back to {}: {}", device.name(), arc.from(), LinuxErrno.name(back.error()));
        }
    }

    private DeviceException failed(Arc arc, Errno errno, String what, Whereabouts now, DeviceException cause) {
        return new DeviceException(
                errno, "%s could not take %s: %s; %s".formatted(device.name(), arc, what, now.sentence()), cause);
    }

    @Override
    public long stopCopySize() throws DeviceException {
        if (!abilities.tellsStopCopyLength()) {
            return Abilities.UNKNOWN_STOP_COPY_BYTES;
        }
        long length = device.stopCopyLength();
        if (length < 0) {
            return Abilities.UNKNOWN_STOP_COPY_BYTES;
        }
        int space = abilities.config().map(present -> StateRecord.HEADER_BYTES + present.size()).orElse(0);
        int around = StateRecord.HEADER_BYTES + space + StateRecord.HEADER_BYTES; // one record of data, and the end
        return Math.min(length, Long.MAX_VALUE - around) + around;
    }

    @Override
    public void reset() throws DeviceException {
        session.clear();
        device.reset();
        DeviceState now = device.state();
        if (now != DeviceState.RUNNING) {
            throw new DeviceException(Errno.EIO, "%s was reset and is in %s, not RUNNING"
                    .formatted(device.name(), now));
        }
        LOG.info("{} was reset", device.name());
    }

    @Override
    public Optional<DirtyTracker> dirtyTracker() {
        return dirtyTracker;
    }

    /**
     * The device leaves: ends a session that is still open, and recording, which the kernel would go on with for
     * whoever else has the device. The device's descriptor is its opener's to close.
     */
    @Override
    public void close() {
        try {
            session.close();
        } finally {
            try {
                dirtyTracker.ifPresent(this::stop);
            } finally {
                transfer.close();
            }
        }
    }

    private void stop(DirtyTracker tracker) {
        try {
            tracker.stop();
        } catch (DeviceException e) {
            LOG.warn("dirty pages of {} may be recorded until its last user closes it: {}", device.name(),
                    KernelException.reason(e));
        }
    }
}
