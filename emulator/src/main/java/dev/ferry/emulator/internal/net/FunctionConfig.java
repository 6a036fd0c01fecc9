// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.virtio.VirtioFeature;
import java.util.Arrays;
import java.util.Objects;

/**
 * What a virtio-net function is made with; nothing of it changes in the function's life, whatever resets it.
 *
 * @param id for example {@code host1/pf0/vf1}, not blank
 * @param mac the permanent address, 6 bytes, unicast; copied
 * @param queuePairs 1 to {@link #MAX_QUEUE_PAIRS}
 * @param queueSize most descriptors of one queue: a power of two, 2 to {@link #MAX_QUEUE_SIZE}
 * @param features bits to offer, within {@link #SUPPORTED_FEATURES} and {@link #OWNER_FEATURES}, with VERSION_1
 * @param legacy whether the owner device offers the legacy interface of the function
 */
public record FunctionConfig(
        String id, byte[] mac, int queuePairs, int queueSize, long features, boolean legacy) {

    /** Bytes of an Ethernet address. */
    public static final int MAC_BYTES = 6;
    /** Most queue pairs; ours: with one vector per queue the MSI-X table then is 8 KiB. */
    public static final int MAX_QUEUE_PAIRS = 255;
    /** Most descriptors of a virtqueue (virtio 1.4, "Split Virtqueues" and "Packed Virtqueues"). */
    public static final int MAX_QUEUE_SIZE = 32768;

    /** Every feature that the device can do. */
    public static final long SUPPORTED_FEATURES = VirtioFeature.maskOf(
            VirtioFeature.NET_MTU,
            VirtioFeature.NET_MAC,
            VirtioFeature.NET_MRG_RXBUF,
            VirtioFeature.NET_STATUS,
            VirtioFeature.NET_CTRL_VQ,
            VirtioFeature.NET_CTRL_RX,
            VirtioFeature.NET_CTRL_VLAN,
            VirtioFeature.NET_CTRL_RX_EXTRA,
            VirtioFeature.NET_GUEST_ANNOUNCE,
            VirtioFeature.NET_MQ,
            VirtioFeature.NET_CTRL_MAC_ADDR,
            VirtioFeature.INDIRECT_DESC,
            VirtioFeature.EVENT_IDX,
            VirtioFeature.VERSION_1,
            VirtioFeature.ACCESS_PLATFORM,
            VirtioFeature.RING_PACKED,
            VirtioFeature.ORDER_PLATFORM,
            VirtioFeature.RING_RESET,
            VirtioFeature.NET_HASH_REPORT,
            VirtioFeature.NET_RSS);

    /** The features of an owner device, which has an SR-IOV capability and an administration virtqueue. */
    public static final long OWNER_FEATURES = VirtioFeature.maskOf(VirtioFeature.SR_IOV, VirtioFeature.ADMIN_VQ);

    /** The most VFs of an owner device; our own limit, by memory. */
    public static final int TOTAL_VFS = 4096;

    private static final int MULTICAST_BIT = 1;

    /** A function without the legacy interface. */
    public FunctionConfig(String id, byte[] mac, int queuePairs, int queueSize, long features) {
        this(id, mac, queuePairs, queueSize, features, false);
    }

    /** Checks everything. */
    public FunctionConfig {
        Objects.requireNonNull(id, "id");
        if (id.isBlank()) {
            throw new IllegalArgumentException("a function needs an id");
        }
        if (mac.length != MAC_BYTES || (mac[0] & MULTICAST_BIT) != 0) {
            throw new IllegalArgumentException("the address of " + id + " must be 6 bytes and unicast");
        }
        mac = mac.clone();
        if (queuePairs < 1 || queuePairs > MAX_QUEUE_PAIRS) {
            throw new IllegalArgumentException(
                    "queue pairs of " + id + " must be 1 to " + MAX_QUEUE_PAIRS + ", not " + queuePairs);
        }
        if (queueSize < 2 || queueSize > MAX_QUEUE_SIZE || Integer.bitCount(queueSize) != 1) {
            throw new IllegalArgumentException("the queue size of " + id + " must be a power of two, 2 to "
                    + MAX_QUEUE_SIZE + ", not " + queueSize);
        }
        requireFeatures(id, queuePairs, features);
    }

    /**
     * Refuses features that no function can offer.
     *
     * @param id of whoever would offer them, for the message
     * @throws IllegalArgumentException saying what is wrong with them
     */
    public static void requireFeatures(String id, int queuePairs, long features) {
        long possible = SUPPORTED_FEATURES | OWNER_FEATURES;
        if ((features & ~possible) != 0) {
            throw new IllegalArgumentException("%s cannot offer the feature bits 0x%x; take bits out of 0x%x"
                    .formatted(id, features & ~possible, possible));
        }
        if ((features & OWNER_FEATURES) != 0 && (features & OWNER_FEATURES) != OWNER_FEATURES) {
            throw new IllegalArgumentException(
                    id + " must offer VIRTIO_F_SR_IOV and VIRTIO_F_ADMIN_VQ together, as an owner device");
        }
        if (!VirtioFeature.VERSION_1.isIn(features)) {
            throw new IllegalArgumentException(id + " must offer VIRTIO_F_VERSION_1");
        }
        if (!Features.requirementsMet(features)) {
            throw new IllegalArgumentException(
                    "%s offers 0x%x, in which a feature lacks the one it requires".formatted(id, features));
        }
        if (queuePairs > 1 != VirtioFeature.NET_MQ.isIn(features)) {
            throw new IllegalArgumentException(
                    id + " must offer VIRTIO_NET_F_MQ with more than one queue pair, and only then");
        }
    }

    /**
     * The features of an ordinary VF: all that are supported, without an MTU (a driver that is told one raises its own
     * to it), and with MQ and RSS only where there are several queue pairs.
     *
     * @param queuePairs of the function
     */
    public static long defaultFeatures(int queuePairs) {
        long features = SUPPORTED_FEATURES & ~VirtioFeature.NET_MTU.mask();
        return queuePairs > 1
                ? features
                : features & ~VirtioFeature.maskOf(VirtioFeature.NET_MQ, VirtioFeature.NET_RSS);
    }

    /**
     * The features of an owner device: its group, and as little of a network device as there can be.
     */
    public static long ownerFeatures() {
        return OWNER_FEATURES
                | VirtioFeature.maskOf(
                        VirtioFeature.NET_MAC,
                        VirtioFeature.NET_STATUS,
                        VirtioFeature.INDIRECT_DESC,
                        VirtioFeature.EVENT_IDX,
                        VirtioFeature.VERSION_1,
                        VirtioFeature.ACCESS_PLATFORM,
                        VirtioFeature.ORDER_PLATFORM,
                        VirtioFeature.RING_RESET);
    }

    @Override
    public byte[] mac() {
        return mac.clone();
    }

    /** Receive and transmit queues, and the control queue where it is offered. */
    int queues() {
        return 2 * queuePairs + (VirtioFeature.NET_CTRL_VQ.isIn(features) ? 1 : 0);
    }

    /** Whether the function is an owner device. */
    boolean isOwner() {
        return VirtioFeature.ADMIN_VQ.isIn(features);
    }

    /** Administration virtqueues, which are behind all others and not counted with them. */
    int adminQueues() {
        return isOwner() ? 1 : 0;
    }

    /** Queues of all kinds. */
    int allQueues() {
        return queues() + adminQueues();
    }

    /** MSI-X vectors: one per queue of any kind, and one for configuration changes. */
    int vectors() {
        return allQueues() + 1;
    }

    @Override
    public boolean equals(Object other) {
        return other instanceof FunctionConfig that
                && id.equals(that.id)
                && Arrays.equals(mac, that.mac)
                && queuePairs == that.queuePairs
                && queueSize == that.queueSize
                && features == that.features
                && legacy == that.legacy;
    }

    @Override
    public int hashCode() {
        return Objects.hash(id, Arrays.hashCode(mac), queuePairs, queueSize, features, legacy);
    }
}
