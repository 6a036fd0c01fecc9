// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.virtio.VirtioFeature;

/**
 * What a virtqueue is for.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Network Device",
 *     "Virtqueues"</a>
 */
enum QueueRole {
    /** receiveq1 and so on: even indices. */
    RECEIVE,
    /** transmitq1 and so on: odd indices. */
    TRANSMIT,
    /** controlq: behind all pairs with VIRTIO_NET_F_MQ or VIRTIO_NET_F_RSS, else behind the first one. */
    CONTROL,
    /** Administration virtqueue: behind all others of an owner device. */
    ADMIN;

    static QueueRole of(int queue, FunctionConfig config, VirtioState state) {
        if (queue >= config.queues() && config.isOwner()) {
            return ADMIN;
        }
        boolean multiqueue = state.has(VirtioFeature.NET_MQ) || state.has(VirtioFeature.NET_RSS);
        int pairs = multiqueue ? config.queuePairs() : 1;
        if (queue == 2 * pairs && state.has(VirtioFeature.NET_CTRL_VQ)) {
            return CONTROL;
        }
        return queue % 2 == 0 ? RECEIVE : TRANSMIT;
    }
}
