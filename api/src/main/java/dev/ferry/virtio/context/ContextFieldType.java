// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context;

import java.util.Optional;

/**
 * The fields of a device context, in the order in which they must lie; those of queues are ordered by queue index within
 * their type.
 */
public enum ContextFieldType {
    /** First: magic u32 @0, version u16 @4, virtio device id u16 @6. */
    START(0x0001, 8, false),
    /** Offered features, u64 words; verified only. */
    DEV_FEATURES(0x0010, 8, false),
    /** Features of the driver, u64 words. */
    DRV_FEATURES(0x0011, 8, false),
    /** {@link dev.ferry.virtio.PciCommonConfig} as 64 bytes, the fields of queues (24 to 59) zero. */
    PCI_COMMON_CFG(0x0012, 64, false),
    /** The device-specific configuration. */
    DEV_CFG(0x0013, Length.VARIABLE, false),
    /** device_status u8 @0, reserved[7]. */
    DEV_STATUS(0x0014, 8, false),
    /** {@link QueueContext} of one enabled queue. */
    VQ_CFG(0x0020, QueueContext.BYTES, true),
    /** Run-time state of one enabled split queue: {@link SplitRunContext}. */
    VQ_SPLIT_RUN(0x0021, Length.VARIABLE, true),
    /** Run-time state of one enabled packed queue: {@link PackedRunContext}. */
    VQ_PACKED_RUN(0x0022, PackedRunContext.BYTES, true),
    /** Optional: queues that were notified and not worked on, u64 words, a bit per queue index. */
    VQ_PENDING_KICK(0x0023, Length.VARIABLE, false),
    /** Bytes promisc, allmulti, alluni, nomulti, nouni, nobcast, reserved[2]. */
    NET_RX_MODE(0x0100, 8, false),
    /** mac[6] @0, reserved[2] @6, n_uni u32 @8, n_multi u32 @12, the addresses @16. */
    NET_MAC(0x0101, Length.VARIABLE, false),
    /** A bitmap of 512 bytes, bit = VLAN id. */
    NET_VLAN(0x0102, 512, false),
    /** Queue pairs in use u16 @0, reserved[6]. */
    NET_MQ(0x0103, 8, false),
    /** Optional: command u8 @0 (RSS or HASH config), reserved[7], the data of the command @8. */
    NET_RSS(0x0104, Length.VARIABLE, false),
    /** Offloads of the guest, u64. */
    NET_OFFLOADS(0x0105, 8, false),
    /** Last: crc32 (IEEE) u32 @0 of all bytes from START up to this field's header, reserved u32 @4. */
    END(0xffff, 8, false);

    /** Magic of START: the letters VTC1. */
    public static final int START_MAGIC = 0x31435456;
    /** Offset of the version in START. */
    public static final int START_VERSION_OFFSET = 4;
    /** The version of this format. */
    public static final int START_VERSION = 1;
    /** Offset of the virtio device id in START. */
    public static final int START_DEVICE_ID_OFFSET = 6;

    private static final class Length {
        static final int VARIABLE = -1;
    }

    private final int number;
    private final int valueBytes;
    private final boolean ofQueue;

    ContextFieldType(int number, int valueBytes, boolean ofQueue) {
        this.number = number;
        this.valueBytes = valueBytes;
        this.ofQueue = ofQueue;
    }

    /** The type as unsigned 16 bits. */
    public int number() {
        return number;
    }

    /** Whether there is one per queue, whose value begins with the queue index u16. */
    public boolean isOfQueue() {
        return ofQueue;
    }

    /** Whether values may have different lengths. */
    public boolean isVariable() {
        return valueBytes == Length.VARIABLE;
    }

    /** Bytes of a value of fixed length; feature words count as one. */
    public int valueBytes() {
        if (isVariable()) {
            throw new IllegalStateException(this + " has no fixed length");
        }
        return valueBytes;
    }

    /** The type of a number; empty for one that this version does not know. */
    public static Optional<ContextFieldType> ofNumber(int number) {
        for (ContextFieldType type : values()) {
            if (type.number == number) {
                return Optional.of(type);
            }
        }
        return Optional.empty();
    }
}
