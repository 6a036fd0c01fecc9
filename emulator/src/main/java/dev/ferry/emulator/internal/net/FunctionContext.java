// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.device.IovaRange;
import dev.ferry.emulator.internal.member.ContextDevice;
import dev.ferry.emulator.internal.member.WriteRecording;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.AdminStatus;
import dev.ferry.virtio.AdminStatusQualifier;
import dev.ferry.virtio.context.DeviceMode;
import dev.ferry.virtio.context.WriteRecordCapability;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A function as the command set of the device context handles it. Thread-safe by the function's lock. */
final class FunctionContext implements ContextDevice, WriteRecording {

    private static final Logger LOG = LoggerFactory.getLogger(FunctionContext.class);

    private static final ModeChange DONE = new ModeChange(AdminResult.SUCCESS, 0);
    private static final ModeChange BUSY =
            new ModeChange(AdminResult.of(AdminStatus.EAGAIN, AdminStatusQualifier.Q_TRYAGAIN), 0);

    private final VirtioNetFunction function;
    private final FunctionGate gate;
    private final FunctionRegisters registers;
    private final NetDevice device;
    private final ContextTransfer transfer;

    FunctionContext(VirtioNetFunction function, FunctionGate gate, FunctionRegisters registers) {
        this.function = function;
        this.gate = gate;
        this.registers = registers;
        this.device = registers.device();
        this.transfer = device.transfer();
    }

    @Override
    public DeviceMode mode() {
        return locked(() -> !device.isStopped()
                ? DeviceMode.ACTIVE
                : device.isFrozen() ? DeviceMode.FREEZE : DeviceMode.STOP);
    }

    @Override
    public ModeChange setMode(DeviceMode to) {
        DeviceMode from = mode();
        if (from == to) {
            return DONE;
        }
        if (from == DeviceMode.FREEZE) {
            Optional<FieldRefusedException> refused = locked(this::leaveFreeze);
            if (refused.isPresent()) {
                LOG.debug("{} takes no device context: {}", function.id(), refused.get().getMessage());
                return new ModeChange(
                        AdminResult.of(AdminStatus.EINVAL, AdminStatusQualifier.Q_INVALID_FIELD),
                        refused.get().output());
            }
        }
        if (from == DeviceMode.ACTIVE && !function.setStopped(true)) {
            return BUSY;
        }
        switch (to) {
            case ACTIVE -> function.setStopped(false);
            case FREEZE -> locked(() -> {
                device.freeze();
                return DONE;
            });
            case STOP -> {
                // It is there by now.
            }
        }
        return DONE;
    }

    private Optional<FieldRefusedException> leaveFreeze() {
        if (transfer.isStaged()) {
            try {
                device.load(ContextLoader.load(transfer.staged(), device.ownConfig()));
            } catch (FieldRefusedException e) {
                return Optional.of(e);
            }
            transfer.applied();
        }
        registers.leaveFreeze();
        return Optional.empty();
    }

    @Override
    public int contextSize() {
        return locked(() -> transfer.isReading()
                ? transfer.remaining()
                : ContextCapture.capture(device).remaining());
    }

    @Override
    public int maxContextSize() {
        return locked(() -> ContextCapture.maxSize(device.config()));
    }

    @Override
    public int readContext(ByteBuffer into) {
        return locked(() -> {
            if (!transfer.isReading()) {
                transfer.beginReading(ContextCapture.capture(device));
            }
            return transfer.read(into);
        });
    }

    @Override
    public int remainingContext() {
        return locked(transfer::remaining);
    }

    @Override
    public AdminResult writeContext(ByteBuffer context) {
        return locked(() -> {
            if (!device.isFrozen()) {
                return AdminResult.of(AdminStatus.EBUSY, AdminStatusQualifier.Q_TRYAGAIN);
            }
            int limit = ContextCapture.maxSize(device.ownConfig()) + ContextTransfer.FOREIGN_FIELDS_BYTES;
            return transfer.write(context, limit)
                    ? AdminResult.SUCCESS
                    : AdminResult.of(AdminStatus.ENOSPC, AdminStatusQualifier.Q_NORESOURCE);
        });
    }

    @Override
    public ByteBuffer contextFields() {
        return ContextCapture.fields(device.ownConfig());
    }

    @Override
    public void discardContext() {
        locked(() -> {
            transfer.clear();
            return DONE;
        });
    }

    @Override
    public WriteRecording writeRecords() {
        return this;
    }

    @Override
    public void resetFunction() {
        function.resetFunction(false);
    }

    @Override
    public void ownerReset() {
        locked(() -> {
            transfer.clear();
            registers.writeRecords().stop();
            if (device.isFrozen()) {
                registers.leaveFreeze();
            }
            return DONE;
        });
        function.setStopped(false);
    }

    @Override
    public WriteRecordCapability capability() {
        return WriteRecords.CAPABILITY;
    }

    @Override
    public boolean isStarted() {
        return locked(() -> registers.writeRecords().isStarted());
    }

    @Override
    public void start(long pageSize, List<IovaRange> ranges) {
        locked(() -> {
            registers.writeRecords().start(pageSize, ranges);
            return DONE;
        });
    }

    @Override
    public void stop() {
        locked(() -> {
            registers.writeRecords().stop();
            return DONE;
        });
    }

    @Override
    public Records read(IovaRange range, int most, boolean peek) {
        return locked(() -> registers.writeRecords().read(range, most, peek));
    }

    private <T> T locked(Supplier<T> action) {
        return gate.locked(action);
    }
}
