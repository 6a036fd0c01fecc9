// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.virtio.VirtioFeature;

/**
 * What a set of feature bits must fulfil.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Network Device", "Feature
 *     bit requirements"</a>
 */
final class Features {

    private static final long NEED_CTRL_VQ = VirtioFeature.maskOf(
            VirtioFeature.NET_CTRL_RX,
            VirtioFeature.NET_CTRL_VLAN,
            VirtioFeature.NET_CTRL_RX_EXTRA,
            VirtioFeature.NET_GUEST_ANNOUNCE,
            VirtioFeature.NET_MQ,
            VirtioFeature.NET_CTRL_MAC_ADDR,
            VirtioFeature.NET_HASH_REPORT,
            VirtioFeature.NET_RSS);

    private Features() {}

    /** Whether each feature has those that it requires. */
    static boolean requirementsMet(long features) {
        return (features & NEED_CTRL_VQ) == 0 || VirtioFeature.NET_CTRL_VQ.isIn(features);
    }

    /** Whether a driver may drive the device with a set of features. */
    static boolean acceptable(long offered, long taken) {
        return (taken & ~offered) == 0 && VirtioFeature.VERSION_1.isIn(taken) && requirementsMet(taken);
    }
}
