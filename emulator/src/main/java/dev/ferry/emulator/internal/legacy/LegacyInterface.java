// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.legacy;

import dev.ferry.virtio.LegacyNotifyInfo;
import java.util.List;
import java.util.Optional;

/**
 * The legacy interface of a member device, which its owner device executes commands on. Thread-safe.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Legacy Interfaces"</a>
 */
public interface LegacyInterface {

    /**
     * Reads from an area.
     *
     * @return the bytes, 1 to 8; empty when the access is not of one field
     */
    Optional<byte[]> readLegacy(LegacyArea area, FieldAccess access);

    /**
     * Writes to an area.
     *
     * @param value the first eight bytes of data as a little-endian number, filled up with zeros
     * @return false when the access is not of one field; nothing was written
     */
    boolean writeLegacy(LegacyArea area, FieldAccess access, long value);

    /** Where queues can be notified, the best place first; three at most. */
    List<LegacyNotifyInfo> legacyNotifications();
}
