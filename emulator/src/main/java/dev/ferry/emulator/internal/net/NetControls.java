// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.virtio.NetControl;
import dev.ferry.virtio.VirtioFeature;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.Optional;

/**
 * What the control virtqueue configures: receive modes, addresses, VLANs, queues. The data of a command and the
 * value of its device part are the same bytes, but for the VLAN table. Guarded by the function's lock.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Network Device", "Control
 *     Virtqueue"</a>
 */
final class NetControls {

    /** Most addresses of both tables together; ours. A driver that has more gets an error and may ask for all. */
    static final int MAX_TABLE_ENTRIES = 256;
    /** VLAN ids are below this (IEEE 802.1Q). */
    static final int VLANS = 4096;

    private static final long[] NO_ADDRESSES = {};

    private final int maxPairs;
    private int modes;
    private byte[] mac;
    private long[] unicast = NO_ADDRESSES;
    private long[] multicast = NO_ADDRESSES;
    private BitSet vlans = new BitSet();
    private MultiqueueControls multiqueue = MultiqueueControls.DEFAULT;

    /** The defaults: nothing but the own address and broadcasts, one queue pair. */
    NetControls(FunctionConfig config) {
        maxPairs = config.queuePairs();
        mac = config.mac();
    }

    private NetControls(NetControls other) {
        maxPairs = other.maxPairs;
        modes = other.modes;
        mac = other.mac;
        unicast = other.unicast;
        multicast = other.multicast;
        vlans = (BitSet) other.vlans.clone();
        multiqueue = other.multiqueue;
    }

    NetControls copy() {
        return new NetControls(this);
    }

    /** Whether a receive mode, one of class RX, is on. */
    boolean isOn(NetControl mode) {
        return (modes & 1 << mode.command()) != 0;
    }

    /** The address of the device now; shared, not to be changed. */
    byte[] mac() {
        return mac;
    }

    /** Sets the address as a legacy driver does, which writes it to the device configuration; taken over. */
    void setMac(byte[] address) {
        mac = address;
    }

    /** Addresses of the unicast table, as numbers whose highest byte is the first; shared. */
    long[] unicast() {
        return unicast;
    }

    /** Addresses of the multicast table; shared. */
    long[] multicast() {
        return multicast;
    }

    /** Whether a VLAN is in the table. */
    boolean hasVlan(int id) {
        return vlans.get(id);
    }

    /** How frames are spread over queues. */
    MultiqueueControls multiqueue() {
        return multiqueue;
    }

    /** Whether the driver may use a command, with the features it took. */
    static boolean isPermitted(NetControl command, long features) {
        return switch (command) {
            case RX_PROMISC, RX_ALLMULTI, MAC_TABLE_SET -> VirtioFeature.NET_CTRL_RX.isIn(features);
            case RX_ALLUNI, RX_NOMULTI, RX_NOUNI, RX_NOBCAST -> VirtioFeature.NET_CTRL_RX_EXTRA.isIn(features);
            case MAC_ADDR_SET -> VirtioFeature.NET_CTRL_MAC_ADDR.isIn(features);
            case VLAN_ADD, VLAN_DEL -> VirtioFeature.NET_CTRL_VLAN.isIn(features);
            case ANNOUNCE_ACK -> VirtioFeature.NET_GUEST_ANNOUNCE.isIn(features);
            case MQ_VQ_PAIRS_SET -> VirtioFeature.NET_MQ.isIn(features);
            case MQ_RSS_CONFIG -> VirtioFeature.NET_RSS.isIn(features);
            case MQ_HASH_CONFIG -> VirtioFeature.NET_HASH_REPORT.isIn(features);
        };
    }

    /**
     * Performs a command.
     *
     * @param data of the command, little-endian, from position to limit; consumed
     * @return false when the data are not those of the command; nothing was changed
     */
    boolean apply(NetControl command, ByteBuffer data) {
        return switch (command) {
            case RX_PROMISC, RX_ALLMULTI, RX_ALLUNI, RX_NOMULTI, RX_NOUNI, RX_NOBCAST -> setMode(command, data);
            case MAC_TABLE_SET -> setTables(data);
            case MAC_ADDR_SET -> setAddress(data);
            case VLAN_ADD -> setVlan(data, true);
            case VLAN_DEL -> setVlan(data, false);
            case ANNOUNCE_ACK -> !data.hasRemaining();
            case MQ_VQ_PAIRS_SET -> set(multiqueue.withPairs(data, maxPairs));
            case MQ_RSS_CONFIG -> set(multiqueue.withRss(data, maxPairs));
            case MQ_HASH_CONFIG -> set(multiqueue.withHash(data));
        };
    }

    private boolean setMode(NetControl mode, ByteBuffer data) {
        if (data.remaining() != 1) {
            return false;
        }
        int on = Byte.toUnsignedInt(data.get());
        if (on > 1) {
            return false;
        }
        modes = modes & ~(1 << mode.command()) | on << mode.command();
        return true;
    }

    private boolean setTables(ByteBuffer data) {
        Optional<long[]> newUnicast = table(data);
        Optional<long[]> newMulticast = newUnicast.isPresent() ? table(data) : Optional.empty();
        if (newMulticast.isEmpty()
                || data.hasRemaining()
                || newUnicast.get().length + newMulticast.get().length > MAX_TABLE_ENTRIES) {
            return false;
        }
        unicast = newUnicast.get();
        multicast = newMulticast.get();
        return true;
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

    private static long[] addresses(ByteBuffer data, int entries) {
        long[] table = new long[entries];
        for (int i = 0; i < entries; i++) {
            table[i] = Ethernet.address(data, data.position());
            data.position(data.position() + FunctionConfig.MAC_BYTES);
        }
        return table;
    }

    private boolean setAddress(ByteBuffer data) {
        if (data.remaining() != FunctionConfig.MAC_BYTES) {
            return false;
        }
        byte[] address = new byte[FunctionConfig.MAC_BYTES];
        data.get(address);
        mac = address;
        return true;
    }

    private boolean setVlan(ByteBuffer data, boolean present) {
        if (data.remaining() != Short.BYTES) {
            return false;
        }
        int id = Short.toUnsignedInt(data.getShort());
        if (id >= VLANS) {
            return false;
        }
        vlans.set(id, present);
        return true;
    }

    private boolean set(Optional<MultiqueueControls> changed) {
        multiqueue = changed.orElse(multiqueue);
        return changed.isPresent();
    }

    /**
     * Takes the whole VLAN table from a device part: ids of u16, ascending.
     *
     * @return false when the data are not that; nothing was changed
     */
    boolean loadVlans(ByteBuffer data) {
        if (data.remaining() % Short.BYTES != 0) {
            return false;
        }
        BitSet loaded = new BitSet();
        while (data.hasRemaining()) {
            int id = Short.toUnsignedInt(data.getShort());
            if (id >= VLANS || id < loaded.length()) {
                return false;
            }
            loaded.set(id);
        }
        vlans = loaded;
        return true;
    }

    /** The VLAN table as a bitmap, without zeros at its end. */
    byte[] vlanBitmap() {
        return vlans.toByteArray();
    }

    /** Takes the whole VLAN table from a bitmap of {@link #VLANS} bits. */
    void loadVlanBitmap(ByteBuffer bitmap) {
        vlans = BitSet.valueOf(bitmap.duplicate());
    }

    /**
     * Takes address and tables from a NET_MAC field of a device context.
     *
     * @return false when the value is not that; nothing was changed
     */
    boolean loadAddresses(ByteBuffer value) {
        if (value.capacity() < ContextCapture.MAC_TABLES_OFFSET) {
            return false;
        }
        int unicastEntries = value.getInt(ContextCapture.MAC_UNICAST_OFFSET);
        int multicastEntries = value.getInt(ContextCapture.MAC_MULTICAST_OFFSET);
        ByteBuffer tables = value.duplicate().position(ContextCapture.MAC_TABLES_OFFSET);
        if (!isTable(unicastEntries)
                || !isTable(multicastEntries)
                || unicastEntries + multicastEntries > MAX_TABLE_ENTRIES
                || tables.remaining() != (unicastEntries + multicastEntries) * FunctionConfig.MAC_BYTES) {
            return false;
        }
        unicast = addresses(tables, unicastEntries);
        multicast = addresses(tables, multicastEntries);
        return setAddress(value.slice(0, FunctionConfig.MAC_BYTES));
    }

    private static boolean isTable(int entries) {
        return entries >= 0 && entries <= MAX_TABLE_ENTRIES;
    }

    /**
     * Whether there is something to carry of a command: of hashes there is nothing until the driver configured them.
     */
    boolean isConfigured(NetControl command) {
        return switch (command) {
            case RX_PROMISC, RX_ALLMULTI, RX_ALLUNI, RX_NOMULTI, RX_NOUNI, RX_NOBCAST -> true;
            case MAC_TABLE_SET, MAC_ADDR_SET, VLAN_ADD, MQ_VQ_PAIRS_SET -> true;
            case MQ_RSS_CONFIG -> multiqueue.rss().isPresent();
            case MQ_HASH_CONFIG -> multiqueue.hashConfig().isPresent();
            case VLAN_DEL, ANNOUNCE_ACK -> false;
        };
    }

    /** The value of the device part of a command that {@linkplain #isConfigured is configured}; shared. */
    byte[] value(NetControl command) {
        return switch (command) {
            case RX_PROMISC, RX_ALLMULTI, RX_ALLUNI, RX_NOMULTI, RX_NOUNI, RX_NOBCAST ->
                new byte[] {(byte) (isOn(command) ? 1 : 0)};
            case MAC_TABLE_SET -> tables();
            case MAC_ADDR_SET -> mac.clone();
            case VLAN_ADD -> vlanTable();
            case MQ_VQ_PAIRS_SET ->
                littleEndian(Short.BYTES).putShort((short) multiqueue.pairs()).array();
            case MQ_RSS_CONFIG -> multiqueue.rss().orElseThrow().data();
            case MQ_HASH_CONFIG -> multiqueue.hashConfig().orElseThrow();
            case VLAN_DEL, ANNOUNCE_ACK ->
                throw new IllegalArgumentException("there is no part of " + command);
        };
    }

    /** Most bytes that {@link #value} gives. */
    static int maxValueBytes(NetControl command) {
        return switch (command) {
            case RX_PROMISC, RX_ALLMULTI, RX_ALLUNI, RX_NOMULTI, RX_NOUNI, RX_NOBCAST -> 1;
            case MAC_TABLE_SET -> 2 * Integer.BYTES + MAX_TABLE_ENTRIES * FunctionConfig.MAC_BYTES;
            case MAC_ADDR_SET -> FunctionConfig.MAC_BYTES;
            case VLAN_ADD -> VLANS * Short.BYTES;
            case MQ_VQ_PAIRS_SET -> Short.BYTES;
            case MQ_RSS_CONFIG -> RssConfig.MAX_BYTES;
            case MQ_HASH_CONFIG -> MultiqueueControls.MAX_HASH_BYTES;
            case VLAN_DEL, ANNOUNCE_ACK -> 0;
        };
    }

    private byte[] tables() {
        int entries = unicast.length + multicast.length;
        ByteBuffer value = littleEndian(2 * Integer.BYTES + entries * FunctionConfig.MAC_BYTES);
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

    private byte[] vlanTable() {
        ByteBuffer value = littleEndian(vlans.cardinality() * Short.BYTES);
        vlans.stream().forEach(id -> value.putShort((short) id));
        return value.array();
    }

    private static ByteBuffer littleEndian(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
