// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import java.nio.ByteBuffer;

/**
 * Spreads flows over queue pairs where the driver leaves that to the device: the same number for every frame of a flow,
 * on every host.
 */
final class FlowHash {

    private static final int FACTOR = 31;
    /** 2^32 divided by the golden ratio: spreads into the high bits, of which the hash is taken. */
    private static final int SPREAD = 0x9E3779B9;

    private FlowHash() {}

    /** The hash of a frame's flow, 16 bits. */
    static int of(PacketFields fields, ByteBuffer frame) {
        int hash = over(frame, fields.addresses(), fields.addressesBytes(), fields.protocol());
        if (fields.hasPorts()) {
            hash = over(frame, fields.ports(), PacketFields.PORTS_BYTES, hash);
        }
        return hash * SPREAD >>> Short.SIZE;
    }

    private static int over(ByteBuffer frame, int at, int bytes, int seed) {
        int hash = seed;
        for (int i = at; i < at + bytes; i += Short.BYTES) {
            hash = FACTOR * hash + Ethernet.u16(frame, i);
        }
        return hash;
    }
}
