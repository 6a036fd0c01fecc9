// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.emulator.internal.legacy.FieldAccess;
import dev.ferry.emulator.internal.legacy.LegacyArea;
import dev.ferry.emulator.internal.legacy.LegacyInterface;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.LegacyCommonConfig;
import dev.ferry.virtio.LegacyNotifyInfo;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;

/**
 * The commands that give a legacy driver the registers of a member device. Guarded by the lock of the owner device.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Legacy Interfaces"</a>
 */
final class LegacyCommands {

    private final MemberGroup members;

    LegacyCommands(MemberGroup members) {
        this.members = members;
    }

    /** LEGACY_COMMON_CFG_WRITE. */
    AdminResult writeCommon(long member, SubmittedCommand submitted) {
        return write(LegacyArea.COMMON, member, submitted);
    }

    /** LEGACY_COMMON_CFG_READ. */
    AdminResult readCommon(long member, SubmittedCommand submitted) {
        return read(LegacyArea.COMMON, member, submitted);
    }

    /** LEGACY_DEV_CFG_WRITE. */
    AdminResult writeDevice(long member, SubmittedCommand submitted) {
        return write(LegacyArea.DEVICE, member, submitted);
    }

    /** LEGACY_DEV_CFG_READ. */
    AdminResult readDevice(long member, SubmittedCommand submitted) {
        return read(LegacyArea.DEVICE, member, submitted);
    }

    private AdminResult write(LegacyArea area, long member, SubmittedCommand submitted) {
        Optional<LegacyInterface> legacy = members.get(member).device().legacy();
        if (legacy.isEmpty()) {
            return Refusal.UNSUPPORTED;
        }
        int dataOffset = LegacyCommonConfig.WRITE_DATA_OFFSET;
        boolean isPaddingZero = !submitted.hasDataFrom(dataOffset + Long.BYTES);
        FieldAccess access = new FieldAccess(
                offset(submitted), submitted.dataBytesFrom(dataOffset), submitted.mayBePadded() && isPaddingZero);
        long value = submitted.data(dataOffset, Long.BYTES).getLong(0);
        return legacy.get().writeLegacy(area, access, value) ? AdminResult.SUCCESS : Refusal.INVALID_FIELD;
    }

    private AdminResult read(LegacyArea area, long member, SubmittedCommand submitted) {
        Optional<LegacyInterface> legacy = members.get(member).device().legacy();
        if (legacy.isEmpty()) {
            return Refusal.UNSUPPORTED;
        }
        FieldAccess access =
                new FieldAccess(offset(submitted), submitted.resultSpace(), submitted.mayHaveSpareSpace());
        Optional<byte[]> bytes = legacy.get().readLegacy(area, access);
        bytes.ifPresent(read -> submitted.putResult(ByteBuffer.wrap(read)));
        return bytes.isPresent() ? AdminResult.SUCCESS : Refusal.INVALID_FIELD;
    }

    private static int offset(SubmittedCommand submitted) {
        return Byte.toUnsignedInt(
                submitted.data(LegacyCommonConfig.READ_BYTES).get(LegacyCommonConfig.ACCESS_OFFSET));
    }

    /** LEGACY_NOTIFY_INFO; the last entry always ends the list. */
    AdminResult notifyInfo(long member, SubmittedCommand submitted) {
        Optional<LegacyInterface> legacy = members.get(member).device().legacy();
        if (legacy.isEmpty()) {
            return Refusal.UNSUPPORTED;
        }
        List<LegacyNotifyInfo> places = legacy.get().legacyNotifications();
        ByteBuffer result = ByteBuffer.allocate(LegacyNotifyInfo.ENTRIES * LegacyNotifyInfo.BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        places.stream().limit(LegacyNotifyInfo.ENTRIES - 1L).forEach(place -> place.encode(result));
        submitted.putResult(result.rewind());
        return AdminResult.SUCCESS;
    }
}
