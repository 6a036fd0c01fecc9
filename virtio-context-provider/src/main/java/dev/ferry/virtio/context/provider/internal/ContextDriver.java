// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context.provider.internal;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.DeviceProfile;
import dev.ferry.fsm.Arc;
import dev.ferry.stream.StreamFormat;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.context.ContextFieldType;
import dev.ferry.virtio.context.ContextLayout;
import dev.ferry.virtio.context.ContextOpcode;
import dev.ferry.virtio.context.DeviceMode;
import dev.ferry.virtio.driver.ImageSavingSession;
import dev.ferry.virtio.driver.MemberDriver;
import dev.ferry.virtio.driver.MemberSessions;
import dev.ferry.virtio.driver.command.AdminRequest;
import dev.ferry.virtio.driver.command.CommandRefusedException;
import dev.ferry.virtio.driver.command.CommandTimeout;
import java.util.Optional;
import java.util.function.LongSupplier;

/**
 * Migrates one member by its device context.
 *
 * <p>The device has three modes, so that each state is a mode: it runs in ACTIVE, is quiesced (RUNNING_P2P) in STOP and
 * stopped in FREEZE. A written context is looked at when the device leaves FREEZE, which is why the way from STOP to
 * RUNNING_P2P may fail because of what was loaded.
 */
final class ContextDriver extends MemberDriver {

    /** DISCARD and SIZE_GET, then a context of some dozen pieces; whoever waits at the gate waits for all of them. */
    private static final int COMMANDS_PER_OPERATION = 16;

    private final ContextOwner owner;

    /** Whether a context was written that the device has not taken yet. Within the gate. */
    private boolean loaded;

    ContextDriver(
            String deviceId,
            ContextOwner owner,
            int member,
            StreamFormat format,
            CommandTimeout timeout,
            LongSupplier nanoTime) {
        super(
                deviceId,
                owner.id(),
                member,
                owner.functionReset(),
                new MemberSessions(purpose -> ContextSession.open(owner, member, purpose), format, nanoTime),
                owner.writeRecords().map(capability -> new WriteRecordTracker(deviceId, owner, member, capability)),
                timeout,
                COMMANDS_PER_OPERATION);
        this.owner = owner;
    }

    @Override
    protected Optional<DataTransferSession> perform(Arc arc) throws DeviceException {
        switch (arc) {
            case RUNNING_TO_RUNNING_P2P, PRE_COPY_TO_PRE_COPY_P2P -> change(DeviceMode.ACTIVE, DeviceMode.STOP);
            case RUNNING_P2P_TO_RUNNING, PRE_COPY_P2P_TO_PRE_COPY -> change(DeviceMode.STOP, DeviceMode.ACTIVE);
            case RUNNING_P2P_TO_STOP -> change(DeviceMode.STOP, DeviceMode.FREEZE);
            case STOP_TO_RUNNING_P2P -> leaveFreeze();
            case STOP_TO_STOP_COPY -> {
                takeLoaded();
                return Optional.of(sessions().openSaving(this, ImageSavingSession::captureFinal));
            }
            case RUNNING_TO_PRE_COPY, RUNNING_P2P_TO_PRE_COPY_P2P -> {
                return Optional.of(sessions().openSaving(this, ImageSavingSession::captureInitial));
            }
            case PRE_COPY_P2P_TO_STOP_COPY -> saveTheRest();
            case STOP_COPY_TO_STOP, PRE_COPY_TO_RUNNING, PRE_COPY_P2P_TO_RUNNING_P2P -> sessions().kill();
            case STOP_TO_RESUMING -> {
                loaded = false;
                return Optional.of(sessions().openResuming(this));
            }
            case RESUMING_TO_STOP -> {
                sessions().resuming().requireComplete();
                sessions().kill();
                loaded = true;
            }
            case STOP_TO_RUNNING, RUNNING_TO_STOP, PRE_COPY_TO_STOP_COPY -> throw noSuchArc(arc);
        }
        return Optional.empty();
    }

    /** The final image is one that cannot change; where it cannot be had, the device is quiesced as before. */
    private void saveTheRest() throws DeviceException {
        change(DeviceMode.STOP, DeviceMode.FREEZE);
        try {
            sessions().saving().captureFinal();
        } catch (DeviceException e) {
            try {
                setMode(DeviceMode.STOP);
            } catch (DeviceException suppressed) {
                e.addSuppressed(suppressed);
                fail();
            }
            throw e;
        }
    }

    /** What is saved is what was loaded, also when the device has not run in between. */
    private void takeLoaded() throws DeviceException {
        if (loaded) {
            leaveFreeze();
            change(DeviceMode.STOP, DeviceMode.FREEZE);
        }
    }

    private void leaveFreeze() throws DeviceException {
        try {
            change(DeviceMode.FREEZE, DeviceMode.STOP);
            loaded = false;
        } catch (CommandRefusedException e) {
            int type = ContextLayout.refusedType(e.output());
            if (type == 0) {
                throw e;
            }
            throw new AdminCommandException(
                    e.status(),
                    e.qualifier(),
                    "%s does not take the loaded device context because of its field %s; choose a device that it fits"
                            .formatted(deviceId(), name(type, ContextLayout.refusedIndex(e.output()))));
        }
    }

    private static String name(int number, int queue) {
        Optional<ContextFieldType> type = ContextFieldType.ofNumber(number);
        String name = type.map(Enum::name).orElse("0x%04x".formatted(number));
        return type.filter(ContextFieldType::isOfQueue).isPresent() ? name + " of queue " + queue : name;
    }

    private void change(DeviceMode from, DeviceMode to) throws DeviceException {
        changeMode(() -> setMode(to), () -> setMode(from));
    }

    /** Nothing that was written before the reset may have effect. */
    @Override
    protected void setRunning() throws DeviceException {
        loaded = false;
        ContextSession.discard(owner, member());
        setMode(DeviceMode.ACTIVE);
    }

    /** A reset leaves the mode alone, for the owner decides when the device runs. */
    @Override
    protected void functionWasReset() throws DeviceException {
        setRunning();
    }

    private void setMode(DeviceMode mode) throws DeviceException {
        owner.channel().execute(AdminRequest.toMember(
                ContextOpcode.V1_DEV_MODE_SET.number(),
                member(),
                DeviceMode.BYTES,
                data -> data.put((byte) mode.number()),
                AdminRequest.space(0)));
    }

    @Override
    public Optional<DeviceProfile> profile() throws DeviceException {
        return Optional.of(inGate(() -> sessions().ask(ContextProfile::read)));
    }
}
