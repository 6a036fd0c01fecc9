// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

/**
 * Feature bits of virtio 1.4, common ones and those of the network device, by number.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Reserved Feature Bits"
 *     and "Network Device", "Feature bits"</a>
 */
public enum VirtioFeature {
    /** VIRTIO_NET_F_CSUM. */
    NET_CSUM(0),
    /** VIRTIO_NET_F_GUEST_CSUM. */
    NET_GUEST_CSUM(1),
    /** VIRTIO_NET_F_MTU. */
    NET_MTU(3),
    /** VIRTIO_NET_F_MAC. */
    NET_MAC(5),
    /** VIRTIO_NET_F_MRG_RXBUF. */
    NET_MRG_RXBUF(15),
    /** VIRTIO_NET_F_STATUS. */
    NET_STATUS(16),
    /** VIRTIO_NET_F_CTRL_VQ. */
    NET_CTRL_VQ(17),
    /** VIRTIO_NET_F_CTRL_RX. */
    NET_CTRL_RX(18),
    /** VIRTIO_NET_F_CTRL_VLAN. */
    NET_CTRL_VLAN(19),
    /** VIRTIO_NET_F_CTRL_RX_EXTRA. */
    NET_CTRL_RX_EXTRA(20),
    /** VIRTIO_NET_F_GUEST_ANNOUNCE. */
    NET_GUEST_ANNOUNCE(21),
    /** VIRTIO_NET_F_MQ. */
    NET_MQ(22),
    /** VIRTIO_NET_F_CTRL_MAC_ADDR. */
    NET_CTRL_MAC_ADDR(23),
    /** VIRTIO_F_INDIRECT_DESC. */
    INDIRECT_DESC(28),
    /** VIRTIO_F_EVENT_IDX. */
    EVENT_IDX(29),
    /** VIRTIO_F_VERSION_1. */
    VERSION_1(32),
    /** VIRTIO_F_ACCESS_PLATFORM. */
    ACCESS_PLATFORM(33),
    /** VIRTIO_F_RING_PACKED. */
    RING_PACKED(34),
    /** VIRTIO_F_IN_ORDER. */
    IN_ORDER(35),
    /** VIRTIO_F_ORDER_PLATFORM. */
    ORDER_PLATFORM(36),
    /** VIRTIO_F_SR_IOV. */
    SR_IOV(37),
    /** VIRTIO_F_NOTIFICATION_DATA. */
    NOTIFICATION_DATA(38),
    /** VIRTIO_F_NOTIF_CONFIG_DATA. */
    NOTIF_CONFIG_DATA(39),
    /** VIRTIO_F_RING_RESET. */
    RING_RESET(40),
    /** VIRTIO_F_ADMIN_VQ. */
    ADMIN_VQ(41),
    /** VIRTIO_F_SUSPEND. */
    SUSPEND(43),
    /** VIRTIO_NET_F_HASH_REPORT. */
    NET_HASH_REPORT(57),
    /** VIRTIO_NET_F_RSS. */
    NET_RSS(60);

    private final int bit;

    VirtioFeature(int bit) {
        this.bit = bit;
    }

    /** Number of the bit, 0 to 63. */
    public int bit() {
        return bit;
    }

    /** The bit as a mask of the first 64 feature bits. */
    public long mask() {
        return 1L << bit;
    }

    /** Whether the bit is set in the first 64 feature bits. */
    public boolean isIn(long features) {
        return (features & mask()) != 0;
    }

    /** The name of a feature bit, {@code bit77} for one that is not named here. */
    public static String nameOf(int bit) {
        for (VirtioFeature feature : values()) {
            if (feature.bit == bit) {
                return feature.name();
            }
        }
        return "bit" + bit;
    }

    /** The mask of several bits. */
    public static long maskOf(VirtioFeature... features) {
        long mask = 0;
        for (VirtioFeature feature : features) {
            mask |= feature.mask();
        }
        return mask;
    }
}
