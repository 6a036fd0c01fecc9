// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import java.nio.ByteBuffer;

/**
 * Spreads flows over queue pairs: the same number for every frame of a flow, on every host. Over addresses and, where
 * every packet of the flow has them, ports.
 */
final class FlowHash {

    private static final int TYPE_IPV4 = 0x0800;
    private static final int IPV4_MIN_BYTES = 20;
    private static final int IPV4_FRAGMENT = 6;
    private static final int IPV4_FRAGMENT_MASK = 0x3FFF;
    private static final int IPV4_PROTOCOL = 9;
    private static final int IPV4_ADDRESSES = 12;
    private static final int IPV4_ADDRESSES_BYTES = 8;
    private static final int IPV4_IHL_MASK = 0x0F;

    private static final int TYPE_IPV6 = 0x86DD;
    private static final int IPV6_BYTES = 40;
    private static final int IPV6_NEXT_HEADER = 6;
    private static final int IPV6_ADDRESSES = 8;
    private static final int IPV6_ADDRESSES_BYTES = 32;

    private static final int PROTOCOL_TCP = 6;
    private static final int PROTOCOL_UDP = 17;
    private static final int PORTS_BYTES = 4;
    private static final int ADDRESSES_BYTES = 2 * FunctionConfig.MAC_BYTES;

    private static final int FACTOR = 31;
    /** 2^32 divided by the golden ratio: spreads into the high bits, of which the hash is taken. */
    private static final int SPREAD = 0x9E3779B9;

    private FlowHash() {}

    /**
     * The hash of a frame's flow, 16 bits.
     *
     * @param frame from position to limit, an Ethernet header or more; not changed
     */
    static int of(ByteBuffer frame) {
        int start = frame.position();
        int network = start + Ethernet.HEADER_BYTES;
        int type = Ethernet.u16(frame, start + Ethernet.TYPE);
        if (Ethernet.vlan(frame) >= 0) {
            network += Ethernet.VLAN_BYTES;
            type = Ethernet.u16(frame, network - Short.BYTES);
        }
        int left = frame.limit() - network;
        int hash;
        if (type == TYPE_IPV4 && left >= IPV4_MIN_BYTES) {
            hash = ipv4(frame, network);
        } else if (type == TYPE_IPV6 && left >= IPV6_BYTES) {
            hash = ipv6(frame, network);
        } else {
            hash = over(frame, start, ADDRESSES_BYTES, type);
        }
        return hash * SPREAD >>> Short.SIZE;
    }

    private static int ipv4(ByteBuffer frame, int at) {
        int protocol = Byte.toUnsignedInt(frame.get(at + IPV4_PROTOCOL));
        int hash = over(frame, at + IPV4_ADDRESSES, IPV4_ADDRESSES_BYTES, protocol);
        // Only the first fragment has ports: no fragment may be steered by them.
        boolean whole = (Ethernet.u16(frame, at + IPV4_FRAGMENT) & IPV4_FRAGMENT_MASK) == 0;
        int headerBytes = (frame.get(at) & IPV4_IHL_MASK) * Integer.BYTES;
        return whole ? ports(frame, at + headerBytes, protocol, hash) : hash;
    }

    private static int ipv6(ByteBuffer frame, int at) {
        int protocol = Byte.toUnsignedInt(frame.get(at + IPV6_NEXT_HEADER));
        int hash = over(frame, at + IPV6_ADDRESSES, IPV6_ADDRESSES_BYTES, protocol);
        return ports(frame, at + IPV6_BYTES, protocol, hash);
    }

    private static int ports(ByteBuffer frame, int at, int protocol, int hash) {
        boolean hasPorts = protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP;
        return hasPorts && frame.limit() - at >= PORTS_BYTES ? over(frame, at, PORTS_BYTES, hash) : hash;
    }

    private static int over(ByteBuffer frame, int at, int bytes, int seed) {
        int hash = seed;
        for (int i = at; i < at + bytes; i += Short.BYTES) {
            hash = FACTOR * hash + Ethernet.u16(frame, i);
        }
        return hash;
    }
}
