// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.internal.net.PacketFields.Network;
import java.nio.ByteBuffer;

/**
 * The hash of one packet by the parameters that the driver gave. Reused from frame to frame; guarded by the function's
 * lock.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Hash calculation for
 *     incoming packets"</a>
 */
final class ToeplitzHash {

    /** Number of VIRTIO_NET_HASH_TYPE_IPv4 and of VIRTIO_NET_HASH_TYPE_IPv6; those with TCP and UDP follow. */
    private static final int TYPE_IPV4 = 0;

    private static final int TYPE_IPV6 = 3;
    private static final int WITH_TCP = 1;
    private static final int WITH_UDP = 2;

    private static final int REPORT_NONE = 0;
    /** Bytes of the key that a byte of input meets: 32 bits, shifted by up to 7. */
    private static final int KEY_BYTES_AT_ONCE = 5;

    private int value;
    private int report = REPORT_NONE;

    /** No hash was calculated. */
    void clear() {
        value = 0;
        report = REPORT_NONE;
    }

    /** Calculates the hash of a frame, by the first type that is enabled and fits. */
    void calculate(HashParameters parameters, PacketFields fields, ByteBuffer frame) {
        clear();
        int type = type(parameters.types(), fields);
        if (type < 0) {
            return;
        }
        // The numbers of the reports are those of the types, from 1.
        report = type + 1;
        value = over(frame, fields.addresses(), fields.addressesBytes(), parameters.key(), 0);
        if (type != TYPE_IPV4 && type != TYPE_IPV6) {
            value ^= over(frame, fields.ports(), PacketFields.PORTS_BYTES, parameters.key(), fields.addressesBytes());
        }
    }

    private static int type(int enabled, PacketFields fields) {
        if (fields.network() == Network.OTHER) {
            return -1;
        }
        int plain = fields.network() == Network.IPV4 ? TYPE_IPV4 : TYPE_IPV6;
        if (fields.hasPorts()) {
            int withPorts = plain + (fields.protocol() == PacketFields.PROTOCOL_TCP ? WITH_TCP : WITH_UDP);
            if ((enabled & 1 << withPorts) != 0) {
                return withPorts;
            }
        }
        return (enabled & 1 << plain) != 0 ? plain : -1;
    }

    private static int over(ByteBuffer frame, int at, int bytes, byte[] key, int keyOffset) {
        int hash = 0;
        for (int i = 0; i < bytes; i++) {
            int input = Byte.toUnsignedInt(frame.get(at + i));
            long window = window(key, keyOffset + i);
            for (int bit = 0; bit < Byte.SIZE; bit++) {
                if ((input & 0x80 >>> bit) != 0) {
                    hash ^= (int) (window >>> Byte.SIZE - bit);
                }
            }
        }
        return hash;
    }

    private static long window(byte[] key, int from) {
        long window = 0;
        for (int i = from; i < from + KEY_BYTES_AT_ONCE; i++) {
            window = window << Byte.SIZE | (i < key.length ? Byte.toUnsignedInt(key[i]) : 0);
        }
        return window;
    }

    /** hash_value; 0 when none was calculated. */
    int value() {
        return value;
    }

    /** hash_report: VIRTIO_NET_HASH_REPORT_*. */
    int report() {
        return report;
    }

    boolean isCalculated() {
        return report != REPORT_NONE;
    }
}
