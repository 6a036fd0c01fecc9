// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.Optional;

/**
 * The VLANs whose frames a driver wants. Immutable.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "VLAN Filtering"</a>
 */
final class VlanTable {

    /** VLAN ids are below this (IEEE 802.1Q). */
    private static final int VLANS = 4096;

    /** Most bytes that {@link #value} gives. */
    static final int MAX_BYTES = VLANS * Short.BYTES;

    /** After a reset. */
    static final VlanTable NONE = new VlanTable(new BitSet());

    private final BitSet ids;

    private VlanTable(BitSet ids) {
        this.ids = ids;
    }

    /** The whole table of a device part, ids of u16, ascending; empty when the value is not that. */
    static Optional<VlanTable> read(ByteBuffer value) {
        if (value.remaining() % Short.BYTES != 0) {
            return Optional.empty();
        }
        BitSet ids = new BitSet();
        while (value.hasRemaining()) {
            int id = Short.toUnsignedInt(value.getShort());
            if (id >= VLANS || id < ids.length()) {
                return Optional.empty();
            }
            ids.set(id);
        }
        return Optional.of(new VlanTable(ids));
    }

    /** The whole table of a device context, a bit per VLAN. */
    static VlanTable ofBitmap(ByteBuffer bitmap) {
        return new VlanTable(BitSet.valueOf(bitmap.duplicate()));
    }

    /** The table after VLAN_ADD or VLAN_DEL; empty when the data are not those of the command. */
    Optional<VlanTable> with(ByteBuffer data, boolean present) {
        if (data.remaining() != Short.BYTES) {
            return Optional.empty();
        }
        int id = Short.toUnsignedInt(data.getShort());
        if (id >= VLANS) {
            return Optional.empty();
        }
        BitSet changed = (BitSet) ids.clone();
        changed.set(id, present);
        return Optional.of(new VlanTable(changed));
    }

    /** Whether a VLAN is in the table. */
    boolean has(int id) {
        return ids.get(id);
    }

    /** As {@link #ofBitmap} takes it, without zeros at its end. */
    byte[] bitmap() {
        return ids.toByteArray();
    }

    /** As {@link #read} takes it. */
    byte[] value() {
        ByteBuffer value = ByteBuffer.allocate(ids.cardinality() * Short.BYTES).order(ByteOrder.LITTLE_ENDIAN);
        ids.stream().forEach(id -> value.putShort((short) id));
        return value.array();
    }
}
