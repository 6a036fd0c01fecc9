// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.pcap;

/**
 * How a capture file lies: a header, then records, each a header and a frame; in the byte order of who wrote it.
 *
 * @see <a href="https://datatracker.ietf.org/doc/draft-ietf-opsawg-pcap/">draft-ietf-opsawg-pcap</a>
 */
final class PcapLayout {

    /** Magic of a file whose times are in microseconds. */
    static final int MAGIC_MICROSECONDS = 0xA1B2_C3D4;
    /** Magic of a file whose times are in nanoseconds. */
    static final int MAGIC_NANOSECONDS = 0xA1B2_3C4D;
    /** First word of a pcapng file, the same in both byte orders. */
    static final int MAGIC_PCAPNG = 0x0A0D_0D0A;

    /** Bytes of the header of the file. */
    static final int HEADER_BYTES = 24;
    static final int MAGIC = 0;
    static final int MAGIC_BYTES = 4;
    static final int VERSION_MAJOR = 4;
    static final int VERSION_MINOR = 6;
    static final int SNAPLEN = 16;
    static final int LINKTYPE = 20;

    /** Bytes of the header of a record. */
    static final int RECORD_BYTES = 16;
    static final int SECONDS = 0;
    static final int FRACTION = 4;
    static final int INCL_LEN = 8;
    static final int ORIG_LEN = 12;

    static final int MAJOR = 2;
    static final int MINOR = 4;
    static final int LINKTYPE_ETHERNET = 1;
    /** The upper half of the link type word says whether frames carry a check sequence. */
    static final int LINKTYPE_MASK = 0xFFFF;

    private PcapLayout() {}
}
