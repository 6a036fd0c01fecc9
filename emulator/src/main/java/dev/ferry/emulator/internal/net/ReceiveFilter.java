// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.virtio.NetControl;
import dev.ferry.virtio.VirtioFeature;
import java.nio.ByteBuffer;

/**
 * Decides which frames the driver wants.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Packet Receive
 *     Filtering", "Setting MAC Address Filtering", "VLAN Filtering"</a>
 */
final class ReceiveFilter {

    private ReceiveFilter() {}

    /**
     * Whether a frame is wanted. A driver without VIRTIO_NET_F_CTRL_RX could not ask for a multicast address, so it
     * gets everything.
     *
     * @param frame from position to limit, an Ethernet header or more; not changed
     * @param features that the driver took
     */
    static boolean wants(ByteBuffer frame, NetControls controls, long features) {
        if (controls.isOn(NetControl.RX_PROMISC)) {
            return true;
        }
        if (VirtioFeature.NET_CTRL_VLAN.isIn(features)) {
            int vlan = Ethernet.vlan(frame);
            if (vlan >= 0 && !controls.vlans().has(vlan)) {
                return false;
            }
        }
        return !VirtioFeature.NET_CTRL_RX.isIn(features)
                || wantsAddress(Ethernet.address(frame, frame.position()), controls);
    }

    private static boolean wantsAddress(long destination, NetControls controls) {
        if (destination == Ethernet.BROADCAST) {
            return !controls.isOn(NetControl.RX_NOBCAST);
        }
        if (Ethernet.isMulticast(destination)) {
            return !controls.isOn(NetControl.RX_NOMULTI)
                    && (controls.isOn(NetControl.RX_ALLMULTI) || contains(controls.tables().multicast(), destination));
        }
        return !controls.isOn(NetControl.RX_NOUNI)
                && (controls.isOn(NetControl.RX_ALLUNI)
                        || destination == Ethernet.address(controls.mac())
                        || contains(controls.tables().unicast(), destination));
    }

    private static boolean contains(long[] table, long address) {
        for (long entry : table) {
            if (entry == address) {
                return true;
            }
        }
        return false;
    }
}
