// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import java.nio.ByteBuffer;

/**
 * Where the fields of a packet lie that its flow is known by: addresses and, where every packet of the flow has them,
 * ports. Reused from frame to frame; guarded by the function's lock.
 *
 * <p>Layouts: RFC 791 (IPv4), RFC 8200 (IPv6).
 */
final class PacketFields {

    /** What the addresses are of. */
    enum Network {
        /** IPv4: source and destination, 4 bytes each. */
        IPV4,
        /** IPv6: source and destination, 16 bytes each. */
        IPV6,
        /** Anything else: Ethernet's destination and source, 6 bytes each. */
        OTHER
    }

    /** Protocol number of TCP. */
    static final int PROTOCOL_TCP = 6;
    /** Protocol number of UDP. */
    static final int PROTOCOL_UDP = 17;
    /** Bytes of source and destination port. */
    static final int PORTS_BYTES = 4;

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

    private static final int HOP_BY_HOP = 0;
    private static final int ROUTING = 43;
    private static final int DESTINATION_OPTIONS = 60;
    private static final int EXTENSION_UNIT = 8;
    /** More extension headers than a packet should have; the search ends there. */
    private static final int MOST_EXTENSIONS = 8;

    private Network network;
    private int protocol;
    private int addresses;
    private int addressesBytes;
    private int ports;

    /**
     * Finds the fields.
     *
     * @param frame from position to limit, an Ethernet header or more; not changed
     */
    void find(ByteBuffer frame) {
        int start = frame.position();
        int at = start + Ethernet.HEADER_BYTES;
        int type = Ethernet.u16(frame, start + Ethernet.TYPE);
        if (Ethernet.vlan(frame) >= 0) {
            at += Ethernet.VLAN_BYTES;
            type = Ethernet.u16(frame, at - Short.BYTES);
        }
        ports = -1;
        int left = frame.limit() - at;
        if (type == TYPE_IPV4 && left >= IPV4_MIN_BYTES) {
            ipv4(frame, at);
        } else if (type == TYPE_IPV6 && left >= IPV6_BYTES) {
            ipv6(frame, at);
        } else {
            set(Network.OTHER, type, start, 2 * FunctionConfig.MAC_BYTES);
        }
    }

    private void ipv4(ByteBuffer frame, int at) {
        set(Network.IPV4, u8(frame, at + IPV4_PROTOCOL), at + IPV4_ADDRESSES, IPV4_ADDRESSES_BYTES);
        int headerBytes = (frame.get(at) & IPV4_IHL_MASK) * Integer.BYTES;
        // Only the first fragment has ports: no fragment may be steered by them.
        boolean whole = (Ethernet.u16(frame, at + IPV4_FRAGMENT) & IPV4_FRAGMENT_MASK) == 0;
        if (whole && headerBytes >= IPV4_MIN_BYTES) {
            ports(frame, at + headerBytes);
        }
    }

    private void ipv6(ByteBuffer frame, int at) {
        int next = u8(frame, at + IPV6_NEXT_HEADER);
        int behind = at + IPV6_BYTES;
        for (int seen = 0; isExtension(next) && seen < MOST_EXTENSIONS; seen++) {
            if (frame.limit() - behind < EXTENSION_UNIT) {
                break;
            }
            next = u8(frame, behind);
            behind += (u8(frame, behind + 1) + 1) * EXTENSION_UNIT;
        }
        set(Network.IPV6, next, at + IPV6_ADDRESSES, IPV6_ADDRESSES_BYTES);
        ports(frame, behind);
    }

    /** Fragments have an extension header, too, which is not skipped: they have no ports. */
    private static boolean isExtension(int header) {
        return header == HOP_BY_HOP || header == ROUTING || header == DESTINATION_OPTIONS;
    }

    private void set(Network newNetwork, int newProtocol, int newAddresses, int bytes) {
        network = newNetwork;
        protocol = newProtocol;
        addresses = newAddresses;
        addressesBytes = bytes;
    }

    private void ports(ByteBuffer frame, int at) {
        boolean hasPorts = protocol == PROTOCOL_TCP || protocol == PROTOCOL_UDP;
        ports = hasPorts && frame.limit() - at >= PORTS_BYTES ? at : -1;
    }

    private static int u8(ByteBuffer frame, int index) {
        return Byte.toUnsignedInt(frame.get(index));
    }

    Network network() {
        return network;
    }

    /** Protocol of an IP packet, behind its extension headers; the EtherType of anything else. */
    int protocol() {
        return protocol;
    }

    /** Index of the source and, behind it, the destination address; of other than IP the other way round. */
    int addresses() {
        return addresses;
    }

    /** Bytes of both addresses. */
    int addressesBytes() {
        return addressesBytes;
    }

    /** Whether it is TCP or UDP and every packet of the flow has ports. */
    boolean hasPorts() {
        return ports >= 0;
    }

    /** Index of the source port and, behind it, the destination port. */
    int ports() {
        return ports;
    }
}
