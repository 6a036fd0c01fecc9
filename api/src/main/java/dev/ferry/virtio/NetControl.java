// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import java.util.Optional;

/**
 * The commands of the network device's control virtqueue whose data travel as device parts, by class and command.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Network Device", "Control
 *     Virtqueue" and "Device parts"</a>
 */
public enum NetControl {
    /** Promiscuous mode: u8, 0 or 1. */
    RX_PROMISC(0, 0),
    /** Receive all multicast: u8. */
    RX_ALLMULTI(0, 1),
    /** Receive all unicast: u8. */
    RX_ALLUNI(0, 2),
    /** Receive no multicast: u8. */
    RX_NOMULTI(0, 3),
    /** Receive no unicast: u8. */
    RX_NOUNI(0, 4),
    /** Receive no broadcast: u8. */
    RX_NOBCAST(0, 5),
    /** Tables of addresses: u32 n, n*6 unicast bytes, u32 m, m*6 multicast bytes. */
    MAC_TABLE_SET(1, 0),
    /** The default address: 6 bytes. */
    MAC_ADDR_SET(1, 1),
    /** As a command: u16 VLAN id to add. As a part: all ids, u16 each, ascending (the text leaves this open). */
    VLAN_ADD(2, 0),
    /** As a command: u16 VLAN id to remove. No part. */
    VLAN_DEL(2, 1),
    /** The driver has announced its link; no data. */
    ANNOUNCE_ACK(3, 0),
    /** Number of queue pairs in use: u16, 1 to 0x8000. */
    MQ_VQ_PAIRS_SET(4, 0),
    /** Receive-side scaling. */
    MQ_RSS_CONFIG(4, 1),
    /** Hash calculation. */
    MQ_HASH_CONFIG(4, 2);

    /** Bytes of {class u8, command u8} before the command's data. */
    public static final int HEADER_BYTES = 2;
    /** Ack byte: done. */
    public static final int ACK_OK = 0;
    /** Ack byte: refused. */
    public static final int ACK_ERR = 1;

    private final int controlClass;
    private final int command;

    NetControl(int controlClass, int command) {
        this.controlClass = controlClass;
        this.command = command;
    }

    /** The class, unsigned 8 bits. */
    public int controlClass() {
        return controlClass;
    }

    /** The command within the class, unsigned 8 bits. */
    public int command() {
        return command;
    }

    /** The selector of the command's device part: class at byte 0, command at byte 1. */
    public long selector() {
        return controlClass | command << 8;
    }

    /** The command of a class and a number. */
    public static Optional<NetControl> of(int controlClass, int command) {
        for (NetControl control : values()) {
            if (control.controlClass == controlClass && control.command == command) {
                return Optional.of(control);
            }
        }
        return Optional.empty();
    }

    /** The command of a device part's selector. */
    public static Optional<NetControl> ofSelector(long selector) {
        return selector >>> 16 != 0
                ? Optional.empty()
                : of((int) (selector & 0xFF), (int) (selector >>> 8 & 0xFF));
    }
}
