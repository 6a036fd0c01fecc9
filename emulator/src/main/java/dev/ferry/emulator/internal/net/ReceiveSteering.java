// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.virtio.VirtioFeature;
import java.nio.ByteBuffer;
import java.util.Optional;

/** Chooses the receive queue of a frame, and calculates its hash. Guarded by the function's lock. */
final class ReceiveSteering {

    /** The driver's queue for the frame is not enabled: it must be dropped. */
    static final int DROP = -1;
    /** No receive queue is enabled. */
    static final int NOWHERE = -2;

    private final PacketFields fields = new PacketFields();
    private final ToeplitzHash hash = new ToeplitzHash();

    /** The hash of the frame that was steered last. */
    ToeplitzHash hash() {
        return hash;
    }

    /** The receive queue of a frame, or {@link #DROP} or {@link #NOWHERE}. */
    int queue(ByteBuffer frame, VirtioState state) {
        MultiqueueControls controls = state.controls.multiqueue();
        boolean rssNegotiated = state.has(VirtioFeature.NET_RSS);
        hash.clear();
        if (rssNegotiated || state.has(VirtioFeature.NET_HASH_REPORT) || controls.pairs() > 1) {
            fields.find(frame);
            hash.calculate(controls.hash(rssNegotiated), fields, frame);
        }
        Optional<RssConfig> rss = controls.rss();
        if (rss.isPresent()) {
            int queue = rss.get().queue(hash);
            return state.queue(queue).enabled() ? queue : DROP;
        }
        return automatic(frame, state, controls.pairs());
    }

    /** The queue of the frame's flow, or the first that is enabled where that one is not. */
    private int automatic(ByteBuffer frame, VirtioState state, int pairs) {
        int queue = pairs == 1 ? 0 : 2 * (FlowHash.of(fields, frame) % pairs);
        for (int next = 0; !state.queue(queue).enabled(); next++) {
            if (next == pairs) {
                return NOWHERE;
            }
            queue = 2 * next;
        }
        return queue;
    }
}
