// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * What the commands of class VIRTIO_NET_CTRL_MQ configure. The last one of number of pairs and RSS decides how frames
 * are steered. Immutable.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Device operation in
 *     multiqueue mode"</a>
 */
final class MultiqueueControls {

    /** Bytes of hash_types and of what is reserved in struct virtio_net_hash_config; then come length and key. */
    private static final int HASH_HEAD_BYTES = 12;

    /** Most bytes of struct virtio_net_hash_config. */
    static final int MAX_HASH_BYTES = HASH_HEAD_BYTES + 1 + HashParameters.MAX_KEY_BYTES;

    /** After a reset: one pair, no RSS, no hash. */
    static final MultiqueueControls DEFAULT =
            new MultiqueueControls(1, Optional.empty(), Optional.empty(), HashParameters.NONE);

    private final int pairs;
    private final Optional<RssConfig> rss;
    private final Optional<byte[]> hashConfig;
    private final HashParameters hash;

    private MultiqueueControls(
            int pairs, Optional<RssConfig> rss, Optional<byte[]> hashConfig, HashParameters hash) {
        this.pairs = pairs;
        this.rss = rss;
        this.hashConfig = hashConfig;
        this.hash = hash;
    }

    /** Queue pairs in use where the device steers. */
    int pairs() {
        return pairs;
    }

    /** How the driver steers; empty where the device does. */
    Optional<RssConfig> rss() {
        return rss;
    }

    /** Struct virtio_net_hash_config as it was sent; empty before. Shared, not to be changed. */
    Optional<byte[]> hashConfig() {
        return hashConfig;
    }

    /** What hashes are calculated with: with VIRTIO_NET_F_RSS those of RSS count, whatever else is configured. */
    HashParameters hash(boolean rssNegotiated) {
        return rssNegotiated ? rss.map(RssConfig::hash).orElse(HashParameters.NONE) : hash;
    }

    /** MQ_VQ_PAIRS_SET; empty when the data are not that. */
    Optional<MultiqueueControls> withPairs(ByteBuffer data, int most) {
        if (data.remaining() != Short.BYTES) {
            return Optional.empty();
        }
        int wanted = Short.toUnsignedInt(data.getShort());
        return wanted < 1 || wanted > most
                ? Optional.empty()
                : Optional.of(new MultiqueueControls(wanted, Optional.empty(), hashConfig, hash));
    }

    /** MQ_RSS_CONFIG; empty when the data are not that. */
    Optional<MultiqueueControls> withRss(ByteBuffer data, int most) {
        return RssConfig.read(data, most)
                .map(config -> new MultiqueueControls(pairs, Optional.of(config), hashConfig, hash));
    }

    /** MQ_HASH_CONFIG; empty when the data are not that. What is reserved is not looked at, and kept. */
    Optional<MultiqueueControls> withHash(ByteBuffer data) {
        if (data.remaining() < HASH_HEAD_BYTES || data.remaining() > MAX_HASH_BYTES) {
            return Optional.empty();
        }
        byte[] config = new byte[data.remaining()];
        data.get(config);
        ByteBuffer at = ByteBuffer.wrap(config).order(ByteOrder.LITTLE_ENDIAN);
        return HashParameters.read(at.getInt(0), at.position(HASH_HEAD_BYTES))
                .map(parameters -> new MultiqueueControls(pairs, rss, Optional.of(config), parameters));
    }
}
