// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.virtio.NetControl;
import dev.ferry.virtio.VirtioFeature;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * What the control virtqueue configures: receive modes, addresses, VLANs, queues. The data of a command and the
 * value of its device part are the same bytes, but for the VLAN table. Guarded by the function's lock.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Network Device", "Control
 *     Virtqueue"</a>
 */
final class NetControls {

    private final int maxPairs;
    private int modes;
    private byte[] mac;
    private AddressTables tables = AddressTables.NONE;
    private VlanTable vlans = VlanTable.NONE;
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
        tables = other.tables;
        vlans = other.vlans;
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

    /** Addresses that are wanted beside the own one. */
    AddressTables tables() {
        return tables;
    }

    /** The VLANs that are wanted. */
    VlanTable vlans() {
        return vlans;
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
            case MAC_TABLE_SET -> setTables(AddressTables.read(data));
            case MAC_ADDR_SET -> setAddress(data);
            case VLAN_ADD -> setVlans(vlans.with(data, true));
            case VLAN_DEL -> setVlans(vlans.with(data, false));
            case ANNOUNCE_ACK -> !data.hasRemaining();
            case MQ_VQ_PAIRS_SET -> setMultiqueue(multiqueue.withPairs(data, maxPairs));
            case MQ_RSS_CONFIG -> setMultiqueue(multiqueue.withRss(data, maxPairs));
            case MQ_HASH_CONFIG -> setMultiqueue(multiqueue.withHash(data));
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

    private boolean setAddress(ByteBuffer data) {
        if (data.remaining() != FunctionConfig.MAC_BYTES) {
            return false;
        }
        byte[] address = new byte[FunctionConfig.MAC_BYTES];
        data.get(address);
        mac = address;
        return true;
    }

    private boolean setTables(Optional<AddressTables> changed) {
        tables = changed.orElse(tables);
        return changed.isPresent();
    }

    private boolean setVlans(Optional<VlanTable> changed) {
        vlans = changed.orElse(vlans);
        return changed.isPresent();
    }

    private boolean setMultiqueue(Optional<MultiqueueControls> changed) {
        multiqueue = changed.orElse(multiqueue);
        return changed.isPresent();
    }

    /**
     * Takes the whole VLAN table from a device part.
     *
     * @return false when the value is not that; nothing was changed
     */
    boolean loadVlans(ByteBuffer value) {
        return setVlans(VlanTable.read(value));
    }

    /** Takes the whole VLAN table from the bitmap of a device context. */
    void loadVlanBitmap(ByteBuffer bitmap) {
        vlans = VlanTable.ofBitmap(bitmap);
    }

    /**
     * Takes address and tables from a NET_MAC field of a device context.
     *
     * @return false when the value is not that; nothing was changed
     */
    boolean loadAddresses(ByteBuffer value) {
        return setTables(AddressTables.ofField(value)) && setAddress(value.slice(0, FunctionConfig.MAC_BYTES));
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
            case MAC_TABLE_SET -> tables.value();
            case MAC_ADDR_SET -> mac.clone();
            case VLAN_ADD -> vlans.value();
            case MQ_VQ_PAIRS_SET ->
                ByteBuffer.allocate(Short.BYTES)
                        .order(ByteOrder.LITTLE_ENDIAN)
                        .putShort((short) multiqueue.pairs())
                        .array();
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
            case MAC_TABLE_SET -> AddressTables.MAX_BYTES;
            case MAC_ADDR_SET -> FunctionConfig.MAC_BYTES;
            case VLAN_ADD -> VlanTable.MAX_BYTES;
            case MQ_VQ_PAIRS_SET -> Short.BYTES;
            case MQ_RSS_CONFIG -> RssConfig.MAX_BYTES;
            case MQ_HASH_CONFIG -> MultiqueueControls.MAX_HASH_BYTES;
            case VLAN_DEL, ANNOUNCE_ACK -> 0;
        };
    }
}
