// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.LegacyNotifyInfo;
import java.nio.ByteBuffer;

/**
 * Where a queue index notifies the queue, in a BAR of the member. Immutable.
 *
 * @param bar 1 to 5
 * @param offset in the BAR
 */
record NotifyAddress(int bar, long offset) {

    /** Bytes of a queue index. */
    static final int BYTES = Short.BYTES;

    private static final int FIRST_BAR = 1;
    private static final int LAST_BAR = 5;

    /**
     * Asks for the addresses of a member and takes the first that can be used: of the member, in a BAR it has, within
     * that BAR, and aligned. An address in the owner device is left to the owner's driver, as in Linux.
     *
     * @throws DeviceException ENOENT when there is none; others as the owner device gives them
     */
    static NotifyAddress of(Owner owner, int member) throws DeviceException {
        ByteBuffer entries = owner.commands()
                .execute(
                        AdminOpcode.LEGACY_NOTIFY_INFO,
                        member,
                        new byte[0],
                        LegacyNotifyInfo.ENTRIES * LegacyNotifyInfo.BYTES);
        while (entries.hasRemaining()) {
            LegacyNotifyInfo entry = LegacyNotifyInfo.decode(entries);
            if (entry.flags() == LegacyNotifyInfo.FLAGS_END) {
                break;
            }
            if (isUsable(entry, owner, member)) {
                return new NotifyAddress(entry.bar(), entry.offset());
            }
        }
        throw new DeviceException(
                Errno.ENOENT, "%s gave no notification address for member %d".formatted(owner.id(), member));
    }

    private static boolean isUsable(LegacyNotifyInfo entry, Owner owner, int member) throws DeviceException {
        return entry.flags() == LegacyNotifyInfo.FLAGS_MEMBER
                && entry.bar() >= FIRST_BAR
                && entry.bar() <= LAST_BAR
                && entry.offset() >= 0
                && entry.offset() % BYTES == 0
                && entry.offset() <= owner.functions().barSize(member, entry.bar()) - BYTES;
    }
}
