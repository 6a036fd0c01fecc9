// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.pcap;

import dev.ferry.demo.internal.traffic.Frame;
import java.io.BufferedInputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.InputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Optional;

/**
 * Reads a capture file from its beginning to its end, one frame at a time; memory for one frame is all it takes. Both
 * byte orders, times in microseconds or nanoseconds, Ethernet only. Not thread-safe.
 *
 * <p>A frame that the capture cut off is what there is of it in the file.
 */
public final class PcapReader implements Closeable {

    private static final int BUFFER_BYTES = 1 << 18;
    private static final int GZIP_MAGIC = 0x1F8B;

    private final String name;
    private final InputStream in;
    private final ByteOrder order;
    private final boolean nanoseconds;
    private long offset = PcapLayout.HEADER_BYTES;
    private long records;

    private PcapReader(String name, InputStream in, ByteBuffer header) throws PcapException {
        this.name = name;
        this.in = in;
        this.order = orderOf(header);
        header.order(order);
        this.nanoseconds = header.getInt(PcapLayout.MAGIC) == PcapLayout.MAGIC_NANOSECONDS;
        int major = Short.toUnsignedInt(header.getShort(PcapLayout.VERSION_MAJOR));
        if (major != PcapLayout.MAJOR) {
            throw new PcapException(name + " is a capture of version " + major + ", not " + PcapLayout.MAJOR);
        }
        int linktype = header.getInt(PcapLayout.LINKTYPE) & PcapLayout.LINKTYPE_MASK;
        if (linktype != PcapLayout.LINKTYPE_ETHERNET) {
            throw new PcapException(name + " is a capture of link type " + linktype + ", not of Ethernet ("
                    + PcapLayout.LINKTYPE_ETHERNET + ")");
        }
    }

    /**
     * Opens a file and reads its header.
     *
     * @throws PcapException when it is not a capture of Ethernet frames
     */
    public static PcapReader open(Path file) throws IOException {
        if (!Files.isRegularFile(file)) {
            throw new PcapException(Files.exists(file)
                    ? file + " is not a regular file: a capture is read twice"
                    : "there is no file " + file);
        }
        return of(file.toString(), Files.newInputStream(file));
    }

    /** Reads the header; closes the stream when that fails. */
    static PcapReader of(String name, InputStream stream) throws IOException {
        InputStream in = new BufferedInputStream(stream, BUFFER_BYTES);
        try {
            byte[] header = in.readNBytes(PcapLayout.HEADER_BYTES);
            ByteBuffer padded = ByteBuffer.allocate(PcapLayout.HEADER_BYTES).put(header).clear();
            checkMagic(name, header.length, padded);
            return new PcapReader(name, in, padded);
        } catch (IOException e) {
            in.close();
            throw e;
        }
    }

    private static void checkMagic(String name, int length, ByteBuffer header) throws PcapException {
        if (header.getInt(PcapLayout.MAGIC) == PcapLayout.MAGIC_PCAPNG) {
            throw new PcapException(
                    name + " is a pcapng file: convert it with \"editcap -F pcap IN OUT\" and use that");
        }
        if (Short.toUnsignedInt(header.getShort(PcapLayout.MAGIC)) == GZIP_MAGIC) {
            throw new PcapException(name + " is compressed: unpack it with gunzip and use that");
        }
        if (orderOf(header) == null) {
            throw new PcapException(name + " is not a pcap file: " + whyNot(length, header));
        }
        if (length < PcapLayout.HEADER_BYTES) {
            throw new PcapException(name + " is cut off: it ends at byte " + length + ", within the "
                    + PcapLayout.HEADER_BYTES + " bytes of its header");
        }
    }

    private static String whyNot(int length, ByteBuffer header) {
        if (length == 0) {
            return "it is empty";
        }
        if (length < PcapLayout.MAGIC_BYTES) {
            return "it has " + length + " bytes, and the header alone has " + PcapLayout.HEADER_BYTES;
        }
        return "its first four bytes are 0x%08x, which no pcap file begins with"
                .formatted(header.getInt(PcapLayout.MAGIC));
    }

    private static ByteOrder orderOf(ByteBuffer header) {
        for (ByteOrder each : new ByteOrder[] {ByteOrder.LITTLE_ENDIAN, ByteOrder.BIG_ENDIAN}) {
            int magic = header.duplicate().order(each).getInt(PcapLayout.MAGIC);
            if (magic == PcapLayout.MAGIC_MICROSECONDS || magic == PcapLayout.MAGIC_NANOSECONDS) {
                return each;
            }
        }
        return null;
    }

    /** Whether times are counted in nanoseconds. */
    public boolean nanoseconds() {
        return nanoseconds;
    }

    /**
     * Reads the next frame.
     *
     * @return empty at the end of the file
     * @throws PcapException when the file is cut off, or holds a frame that no device takes
     */
    public Optional<Frame> next() throws IOException {
        byte[] bytes = in.readNBytes(PcapLayout.RECORD_BYTES);
        if (bytes.length == 0) {
            return Optional.empty();
        }
        records++;
        checkWhole(bytes.length, PcapLayout.RECORD_BYTES, "the header of record");
        ByteBuffer header = ByteBuffer.wrap(bytes).order(order);
        int length = header.getInt(PcapLayout.INCL_LEN);
        if (length < Frame.MIN_BYTES || length > Frame.MAX_BYTES) {
            throw new PcapException("%s: record %d at byte %d holds a frame of %d bytes; a device takes %d to %d"
                    .formatted(name, records, offset, Integer.toUnsignedLong(length), Frame.MIN_BYTES,
                            Frame.MAX_BYTES));
        }
        byte[] frame = in.readNBytes(length);
        checkWhole(PcapLayout.RECORD_BYTES + frame.length, PcapLayout.RECORD_BYTES + length, "record");
        offset += PcapLayout.RECORD_BYTES + length;
        return Optional.of(new Frame(
                header.getInt(PcapLayout.SECONDS),
                header.getInt(PcapLayout.FRACTION),
                header.getInt(PcapLayout.ORIG_LEN),
                ByteBuffer.wrap(frame)));
    }

    private void checkWhole(int there, int wanted, String what) throws PcapException {
        if (there < wanted) {
            throw new PcapException("%s is cut off: it ends at byte %d, within %s %d at byte %d"
                    .formatted(name, offset + there, what, records, offset));
        }
    }

    @Override
    public void close() throws IOException {
        in.close();
    }
}
