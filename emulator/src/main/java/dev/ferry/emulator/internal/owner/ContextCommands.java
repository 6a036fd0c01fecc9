// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.emulator.internal.member.ContextDevice;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.AdminStatus;
import dev.ferry.virtio.AdminStatusQualifier;
import dev.ferry.virtio.context.ContextLayout;
import dev.ferry.virtio.context.DeviceMode;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The commands about the mode and the device context of a member; {@link ContextLayout} has their layouts. Guarded by
 * the lock of the owner device.
 */
final class ContextCommands {

    /** A command that cannot be executed as it stands. */
    private static final AdminResult INVALID_COMMAND =
            AdminResult.of(AdminStatus.EINVAL, AdminStatusQualifier.Q_INVALID_COMMAND);

    private final MemberGroup members;
    private final boolean formB;

    /**
     * Commands for members.
     *
     * @param formB whether READ tells sizes in its result
     */
    ContextCommands(MemberGroup members, boolean formB) {
        this.members = members;
        this.formB = formB;
    }

    /** V1_DEV_MODE_GET. */
    AdminResult getMode(long member, SubmittedCommand submitted) {
        submitted.putResult(
                ByteBuffer.allocate(DeviceMode.BYTES).put(0, (byte) device(member).mode().number()));
        return AdminResult.SUCCESS;
    }

    /** V1_DEV_MODE_SET. */
    AdminResult setMode(long member, SubmittedCommand submitted) {
        Optional<DeviceMode> mode =
                DeviceMode.ofNumber(Byte.toUnsignedInt(submitted.data(DeviceMode.BYTES).get(0)));
        if (mode.isEmpty()) {
            return Refusal.INVALID_FIELD;
        }
        ContextDevice.ModeChange change = device(member).setMode(mode.get());
        submitted.putOutput(change.output());
        return change.result();
    }

    /** V1_DEV_CTX_SIZE_GET. */
    AdminResult size(long member, SubmittedCommand submitted) {
        int freezeMode = Byte.toUnsignedInt(submitted.data(ContextLayout.SIZE_GET_BYTES).get(0));
        if (freezeMode != ContextLayout.PRESENT_MODE && freezeMode != ContextLayout.FREEZE_MODE) {
            return Refusal.INVALID_FIELD;
        }
        ContextDevice device = device(member);
        long size = freezeMode == ContextLayout.FREEZE_MODE ? device.maxContextSize() : device.contextSize();
        submitted.putResult(little(ContextLayout.SIZE_RESULT_BYTES).putLong(0, size));
        return AdminResult.SUCCESS;
    }

    /** V1_DEV_CTX_READ; the context goes straight to the driver's memory where it is in one segment. */
    AdminResult read(long member, SubmittedCommand submitted) {
        return formB ? readFormB(device(member), submitted) : readFormA(device(member), submitted);
    }

    private static AdminResult readFormA(ContextDevice device, SubmittedCommand submitted) {
        if (submitted.resultSpace() == 0) {
            return INVALID_COMMAND;
        }
        ByteBuffer into = submitted.resultBuffer((int) Math.min(device.maxContextSize(), submitted.resultSpace()));
        int count = device.readContext(into);
        submitted.putResultIn(into);
        submitted.putOutput(count);
        return AdminResult.SUCCESS;
    }

    private static AdminResult readFormB(ContextDevice device, SubmittedCommand submitted) {
        long space = submitted.resultSpace() - ContextLayout.READ_FORM_B_BYTES;
        if (space <= 0) {
            return INVALID_COMMAND;
        }
        ByteBuffer result = little(ContextLayout.READ_FORM_B_BYTES + (int) Math.min(device.maxContextSize(), space));
        int count = device.readContext(result.position(ContextLayout.READ_FORM_B_BYTES));
        result.putInt(0, count).putInt(ContextLayout.READ_FORM_B_REMAINING_OFFSET, device.remainingContext());
        submitted.putResult(result.flip());
        return AdminResult.SUCCESS;
    }

    /** V1_DEV_CTX_WRITE; the length is that of the device-readable part, whatever it is. */
    AdminResult write(long member, SubmittedCommand submitted) {
        ContextDevice device = device(member);
        long bytes = submitted.dataBytesFrom(0);
        if (bytes > Integer.MAX_VALUE) {
            return AdminResult.of(AdminStatus.ENOSPC, AdminStatusQualifier.Q_NORESOURCE);
        }
        return device.writeContext(submitted.dataFrom(0, (int) bytes));
    }

    /** V1_DEV_CTX_FIELDS_QUERY; as many whole entries as fit. */
    AdminResult fields(long member, SubmittedCommand submitted) {
        ByteBuffer entries = device(member).contextFields();
        long space = submitted.resultSpace() / ContextLayout.FIELD_ENTRY_BYTES * ContextLayout.FIELD_ENTRY_BYTES;
        submitted.putResult(entries.limit((int) Math.min(entries.limit(), space)));
        return AdminResult.SUCCESS;
    }

    /** V1_DEV_CTX_DISCARD. */
    AdminResult discard(long member, SubmittedCommand submitted) {
        device(member).discardContext();
        return AdminResult.SUCCESS;
    }

    private ContextDevice device(long member) {
        return members.get(member).device().context();
    }

    private static ByteBuffer little(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
