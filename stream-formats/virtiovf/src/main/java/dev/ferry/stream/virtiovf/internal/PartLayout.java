// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import dev.ferry.virtio.DevicePart;
import dev.ferry.virtio.DevicePartType;
import dev.ferry.virtio.NetControl;
import dev.ferry.virtio.PackedVirtqueuePosition;
import dev.ferry.virtio.PciCommonConfig;
import dev.ferry.virtio.VirtqueueConfig;
import dev.ferry.virtio.VirtqueueNotifyConfig;
import java.nio.ByteBuffer;
import java.util.Optional;

/** How long the values of device parts must be (virtio 1.4, section "Device parts"). */
final class PartLayout {

    static final int MAC_BYTES = 6;
    static final int VLAN_ID_BYTES = 2;

    private static final int RSS_HEAD_BYTES = 8;
    static final int RSS_MASK_OFFSET = 4;
    static final int RSS_UNCLASSIFIED_OFFSET = 6;
    static final int RSS_PAIR_MASK = 0x7FFF;
    private static final int RSS_TABLE_ENTRY_BYTES = 2;
    private static final int RSS_MAX_TX_VQ_BYTES = 2;
    private static final int KEY_LENGTH_BYTES = 1;
    private static final int HASH_KEY_LENGTH_OFFSET = 12;

    private PartLayout() {}

    /**
     * What is wrong with the length of a value.
     *
     * @param value little-endian
     * @return a sentence; empty when the value has all fields of its layout
     */
    static Optional<String> fault(DevicePartType type, DevicePart part, ByteBuffer value) {
        return switch (type) {
            case DEV_FEATURES, DRV_FEATURES -> words(type, part);
            case PCI_COMMON_CFG -> commonConfig(part);
            case DEVICE_STATUS -> atLeast(type.name(), 1, part);
            case VQ_CFG -> atLeast(type.name(), VirtqueueConfig.BYTES, part);
            case VQ_NOTIFY_CFG -> atLeast(type.name(), VirtqueueNotifyConfig.BYTES, part);
            case NET_CVQ_CFG -> NetControl.ofSelector(part.selector()).flatMap(control -> net(control, part, value));
            case PACKED_VQ_POSITION -> atLeast(type.name(), PackedVirtqueuePosition.BYTES, part);
        };
    }

    private static Optional<String> words(DevicePartType type, DevicePart part) {
        return part.length() == 0 || part.length() % Long.BYTES != 0
                ? Optional.of("a %s part holds whole 64-bit words, not %d bytes".formatted(type, part.length()))
                : Optional.empty();
    }

    private static Optional<String> commonConfig(DevicePart part) {
        if (part.selector() < 0 || part.selector() >= PciCommonConfig.BYTES) {
            return Optional.empty(); // a field of a later version
        }
        Optional<PciCommonConfig> field = PciCommonConfig.at(part.selector());
        if (field.isEmpty()) {
            return Optional.of("no field of the common configuration begins at offset " + part.selector());
        }
        return field.get().size() == part.length()
                ? Optional.empty()
                : Optional.of("the %s field has %d bytes, not %d"
                        .formatted(field.get(), field.get().size(), part.length()));
    }

    private static Optional<String> net(NetControl control, DevicePart part, ByteBuffer value) {
        return switch (control) {
            case RX_PROMISC, RX_ALLMULTI, RX_ALLUNI, RX_NOMULTI, RX_NOUNI, RX_NOBCAST ->
                    atLeast(control.name(), 1, part);
            case MAC_TABLE_SET -> macTable(part, value);
            case MAC_ADDR_SET -> atLeast(control.name(), MAC_BYTES, part);
            case VLAN_ADD -> part.length() % VLAN_ID_BYTES == 0
                    ? Optional.empty()
                    : Optional.of("a VLAN_ADD part holds 16-bit ids, not %d bytes".formatted(part.length()));
            case VLAN_DEL -> Optional.of("VLAN_DEL is a command that has no part");
            case ANNOUNCE_ACK -> Optional.empty();
            case MQ_VQ_PAIRS_SET -> atLeast(control.name(), Short.BYTES, part);
            case MQ_RSS_CONFIG -> rss(part, value);
            case MQ_HASH_CONFIG -> keyed(control.name(), HASH_KEY_LENGTH_OFFSET, part, value);
        };
    }

    private static Optional<String> macTable(DevicePart part, ByteBuffer value) {
        long needed = 0;
        for (int table = 0; table < 2; table++) {
            needed += Integer.BYTES;
            if (value.capacity() >= needed) {
                needed += MAC_BYTES * Integer.toUnsignedLong(value.getInt((int) needed - Integer.BYTES));
            }
        }
        return atLeast(NetControl.MAC_TABLE_SET.name(), needed, part);
    }

    private static Optional<String> rss(DevicePart part, ByteBuffer value) {
        String name = NetControl.MQ_RSS_CONFIG.name();
        Optional<String> head = atLeast(name, RSS_HEAD_BYTES, part);
        if (head.isPresent()) {
            return head;
        }
        int entries = Short.toUnsignedInt(value.getShort(RSS_MASK_OFFSET)) + 1;
        return keyed(name, RSS_HEAD_BYTES + entries * RSS_TABLE_ENTRY_BYTES + RSS_MAX_TX_VQ_BYTES, part, value);
    }

    /** A value whose last field is a key with its length in one byte before it. */
    private static Optional<String> keyed(String name, int keyLengthOffset, DevicePart part, ByteBuffer value) {
        int needed = keyLengthOffset + KEY_LENGTH_BYTES;
        if (value.capacity() >= needed) {
            needed += Byte.toUnsignedInt(value.get(keyLengthOffset));
        }
        return atLeast(name, needed, part);
    }

    private static Optional<String> atLeast(String name, long bytes, DevicePart part) {
        return part.length() < bytes
                ? Optional.of("a %s part needs %d bytes but has %d".formatted(name, bytes, part.length()))
                : Optional.empty();
    }
}
