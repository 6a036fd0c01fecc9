// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import dev.ferry.virtio.VirtqueueConfig;
import dev.ferry.virtio.context.ContextFieldType;
import dev.ferry.virtio.context.PackedRunContext;
import dev.ferry.virtio.context.QueueContext;
import dev.ferry.virtio.context.SplitRunContext;
import java.nio.ByteBuffer;
import java.util.BitSet;

/** The values of the fields of a device context as a person reads them. */
final class ContextValue {

    private static final int NET_MAC_HEAD_BYTES = 16;
    private static final int NET_MAC_UNICAST_OFFSET = 8;
    private static final int NET_MAC_MULTICAST_OFFSET = 12;
    private static final int RSS_HEAD_BYTES = 8;

    private ContextValue() {}

    /** The least bytes that {@link #of} needs of a value. */
    static int leastBytes(ContextFieldType type) {
        return switch (type) {
            case DEV_CFG, VQ_PENDING_KICK -> 0;
            case VQ_SPLIT_RUN -> SplitRunContext.HEAD_BYTES;
            case NET_MAC -> NET_MAC_HEAD_BYTES;
            case NET_RSS -> RSS_HEAD_BYTES;
            case START,
                    DEV_FEATURES,
                    DRV_FEATURES,
                    PCI_COMMON_CFG,
                    DEV_STATUS,
                    VQ_CFG,
                    VQ_PACKED_RUN,
                    NET_RX_MODE,
                    NET_VLAN,
                    NET_MQ,
                    NET_OFFLOADS,
                    END ->
                type.valueBytes();
        };
    }

    /**
     * The value in words.
     *
     * @param value little-endian, position 0, of {@link #leastBytes} or more
     */
    static String of(ContextFieldType type, ByteBuffer value) {
        return switch (type) {
            case START -> "version %d, virtio device %d"
                    .formatted(
                            u16(value, ContextFieldType.START_VERSION_OFFSET),
                            u16(value, ContextFieldType.START_DEVICE_ID_OFFSET));
            case DEV_FEATURES, DRV_FEATURES -> PartValue.features(value);
            case PCI_COMMON_CFG, DEV_CFG -> value.capacity() + " bytes";
            case DEV_STATUS -> PartValue.status(Byte.toUnsignedInt(value.get(0)));
            case VQ_CFG -> queue(QueueContext.decode(value));
            case VQ_SPLIT_RUN -> SplitRunContext.decode(value)
                    .map(run -> "queue %d: last_avail_idx %d, last_used_idx %d, %d in flight"
                            .formatted(run.index(), run.lastAvail(), run.lastUsed(), run.inFlight().size()))
                    .orElse("a number of chains that does not fit the length");
            case VQ_PACKED_RUN -> packed(PackedRunContext.decode(value));
            case VQ_PENDING_KICK -> "queues " + PartValue.bits(value, PartValue.MOST_SHOWN, Long::toString);
            case NET_RX_MODE -> "promisc %d, allmulti %d, alluni %d, nomulti %d, nouni %d, nobcast %d"
                    .formatted(
                            value.get(0), value.get(1), value.get(2), value.get(3), value.get(4), value.get(5));
            case NET_MAC -> "%s, %d unicast, %d multicast"
                    .formatted(
                            PartValue.mac(value, 0),
                            Integer.toUnsignedLong(value.getInt(NET_MAC_UNICAST_OFFSET)),
                            Integer.toUnsignedLong(value.getInt(NET_MAC_MULTICAST_OFFSET)));
            case NET_VLAN -> BitSet.valueOf(value.slice(0, type.valueBytes())).cardinality() + " VLANs";
            case NET_MQ -> u16(value, 0) + " pairs";
            case NET_RSS -> "command %d".formatted(value.get(0));
            case NET_OFFLOADS -> "0x%x".formatted(value.getLong(0));
            case END -> "crc32 0x%08x".formatted(value.getInt(0));
        };
    }

    private static String queue(QueueContext queue) {
        VirtqueueConfig config = queue.config();
        String vector =
                config.vector() == VirtqueueConfig.NO_VECTOR ? "none" : Integer.toString(config.vector());
        return "queue %d: size %d, vector %s, desc 0x%x, driver 0x%x, device 0x%x"
                .formatted(queue.index(), config.size(), vector, config.desc(), config.driver(), config.device());
    }

    private static String packed(PackedRunContext run) {
        return "queue %d: avail_off_wrap 0x%04x, used_off_wrap 0x%04x"
                .formatted(run.index(), run.availOffWrap(), run.usedOffWrap());
    }

    private static int u16(ByteBuffer value, int offset) {
        return Short.toUnsignedInt(value.getShort(offset));
    }
}
