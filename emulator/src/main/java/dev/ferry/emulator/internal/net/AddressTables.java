// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * The unicast and the multicast addresses that a driver asked for, beside its own. Immutable, but for arrays that are
 * shared and not to be changed.
 *
 * @param unicast addresses, as numbers whose highest byte is the first
 * @param multicast the same
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Setting MAC Address
 *     Filtering"</a>
 */
record AddressTables(long[] unicast, long[] multicast) {

    /** Most addresses of both tables together; ours. A driver that has more gets an error and may ask for all. */
    static final int MAX_ENTRIES = 256;

    /** Most bytes that {@link #value} gives. */
    static final int MAX_BYTES = 2 * Integer.BYTES + MAX_ENTRIES * FunctionConfig.MAC_BYTES;

    private static final long[] NO_ADDRESSES = {};

    /** After a reset. */
    static final AddressTables NONE = new AddressTables(NO_ADDRESSES, NO_ADDRESSES);

    /** The data of MAC_TABLE_SET, each table behind its number of entries; empty when they are not that. */
    static Optional<AddressTables> read(ByteBuffer data) {
        Optional<long[]> unicast = table(data);
        Optional<long[]> multicast = unicast.isPresent() ? table(data) : Optional.empty();
        if (multicast.isEmpty()
                || data.hasRemaining()
                || unicast.get().length + multicast.get().length > MAX_ENTRIES) {
            return Optional.empty();
        }
        return Optional.of(new AddressTables(unicast.get(), multicast.get()));
    }

    private static Optional<long[]> table(ByteBuffer data) {
        if (data.remaining() < Integer.BYTES) {
            return Optional.empty();
        }
        int entries = data.getInt();
        if (!isTable(entries) || data.remaining() < entries * FunctionConfig.MAC_BYTES) {
            return Optional.empty();
        }
        return Optional.of(addresses(data, entries));
    }

    /** The tables of a NET_MAC field of a device context; empty when the value has no such tables. */
    static Optional<AddressTables> ofField(ByteBuffer value) {
        if (value.capacity() < ContextCapture.MAC_TABLES_OFFSET) {
            return Optional.empty();
        }
        int unicast = value.getInt(ContextCapture.MAC_UNICAST_OFFSET);
        int multicast = value.getInt(ContextCapture.MAC_MULTICAST_OFFSET);
        ByteBuffer tables = value.duplicate().position(ContextCapture.MAC_TABLES_OFFSET);
        if (!isTable(unicast)
                || !isTable(multicast)
                || unicast + multicast > MAX_ENTRIES
                || tables.remaining() != (unicast + multicast) * FunctionConfig.MAC_BYTES) {
            return Optional.empty();
        }
        return Optional.of(new AddressTables(addresses(tables, unicast), addresses(tables, multicast)));
    }

    private static boolean isTable(int entries) {
        return entries >= 0 && entries <= MAX_ENTRIES;
    }

    private static long[] addresses(ByteBuffer data, int entries) {
        long[] table = new long[entries];
        for (int i = 0; i < entries; i++) {
            table[i] = Ethernet.address(data, data.position());
            data.position(data.position() + FunctionConfig.MAC_BYTES);
        }
        return table;
    }

    /** As {@link #read} takes them. */
    byte[] value() {
        int entries = unicast.length + multicast.length;
        ByteBuffer value = ByteBuffer.allocate(2 * Integer.BYTES + entries * FunctionConfig.MAC_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        putTable(value, unicast);
        putTable(value, multicast);
        return value.array();
    }

    private static void putTable(ByteBuffer value, long[] table) {
        value.putInt(table.length);
        for (long address : table) {
            Ethernet.putAddress(value, address);
        }
    }
}
