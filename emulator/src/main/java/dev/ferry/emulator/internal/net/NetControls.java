// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.virtio.NetControl;
import dev.ferry.virtio.VirtioFeature;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.Optional;

/**
 * What the control virtqueue configures: receive modes, addresses, VLANs, queue pairs. The data of a command and the
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
    private int pairs = 1;

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
        pairs = other.pairs;
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

    /** Queue pairs in use. */
    int pairs() {
        return pairs;
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
            case MQ_RSS_CONFIG, MQ_HASH_CONFIG -> false;
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
            case MQ_VQ_PAIRS_SET -> setPairs(data);
            case MQ_RSS_CONFIG, MQ_HASH_CONFIG -> false;
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
        if (entries < 0
                || entries > MAX_TABLE_ENTRIES
                || data.remaining() < entries * FunctionConfig.MAC_BYTES) {
            return Optional.empty();
        }
        long[] table = new long[entries];
        for (int i = 0; i < entries; i++) {
            table[i] = Ethernet.address(data, data.position());
            data.position(data.position() + FunctionConfig.MAC_BYTES);
        }
        return Optional.of(table);
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

    private boolean setPairs(ByteBuffer data) {
        if (data.remaining() != Short.BYTES) {
            return false;
        }
        int wanted = Short.toUnsignedInt(data.getShort());
        if (wanted < 1 || wanted > maxPairs) {
            return false;
        }
        pairs = wanted;
        return true;
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

    /** The value of the device part of a command, of which there is a part. */
    byte[] value(NetControl command) {
        return switch (command) {
            case RX_PROMISC, RX_ALLMULTI, RX_ALLUNI, RX_NOMULTI, RX_NOUNI, RX_NOBCAST ->
                new byte[] {(byte) (isOn(command) ? 1 : 0)};
            case MAC_TABLE_SET -> tables();
            case MAC_ADDR_SET -> mac.clone();
            case VLAN_ADD -> vlanTable();
            case MQ_VQ_PAIRS_SET -> littleEndian(Short.BYTES).putShort((short) pairs).array();
            case VLAN_DEL, ANNOUNCE_ACK, MQ_RSS_CONFIG, MQ_HASH_CONFIG ->
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
            case VLAN_DEL, ANNOUNCE_ACK, MQ_RSS_CONFIG, MQ_HASH_CONFIG -> 0;
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
