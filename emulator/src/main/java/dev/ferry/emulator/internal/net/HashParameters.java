// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import java.nio.ByteBuffer;
import java.util.Optional;

/**
 * What a Toeplitz hash is calculated with.
 *
 * @param types bits of VIRTIO_NET_HASH_TYPE_*, within {@link #SUPPORTED_TYPES}
 * @param key at most {@link #MAX_KEY_BYTES}; what is missing counts as zero; shared, not to be changed
 */
record HashParameters(int types, byte[] key) {

    /** The hash types of IP packets, with ports and without, but those with addresses from extension headers. */
    static final int SUPPORTED_TYPES = 0x3F;
    /** rss_max_key_size: 32 bits more than the longest input, of IPv6 with ports. */
    static final int MAX_KEY_BYTES = 40;

    /** No hash is calculated. */
    static final HashParameters NONE = new HashParameters(0, new byte[0]);

    /**
     * Reads length and key at the end of a command's data.
     *
     * @param types as the command has them
     * @param data from the length to the limit; consumed
     * @return empty when the data are not that, or this device cannot do it
     */
    static Optional<HashParameters> read(int types, ByteBuffer data) {
        if ((types & ~SUPPORTED_TYPES) != 0 || !data.hasRemaining()) {
            return Optional.empty();
        }
        int length = Byte.toUnsignedInt(data.get());
        if (length > MAX_KEY_BYTES || length != data.remaining()) {
            return Optional.empty();
        }
        byte[] key = new byte[length];
        data.get(key);
        return Optional.of(new HashParameters(types, key));
    }
}
