// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.pcap;

import dev.ferry.cli.ReplacedFile;
import dev.ferry.demo.internal.traffic.Frame;
import java.io.BufferedOutputStream;
import java.io.Closeable;
import java.io.IOException;
import java.io.OutputStream;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.nio.channels.WritableByteChannel;
import java.nio.file.Path;

/**
 * Writes a capture file of Ethernet frames, little-endian. It has its name only once it is whole, see {@link #commit};
 * a pipe or device is written as frames come. Not thread-safe.
 */
public final class PcapWriter implements Closeable {

    private static final int SNAPLEN = 262_144;
    private static final int BUFFER_BYTES = 1 << 18;

    private final ReplacedFile file;
    private final OutputStream out;
    private final WritableByteChannel channel;
    private final ByteBuffer record =
            ByteBuffer.allocate(PcapLayout.RECORD_BYTES).order(ByteOrder.LITTLE_ENDIAN);

    private PcapWriter(ReplacedFile file) {
        this.file = file;
        this.out = new BufferedOutputStream(Channels.newOutputStream(file.channel()), BUFFER_BYTES);
        this.channel = Channels.newChannel(this.out);
    }

    /**
     * Begins a capture; the file of this name, if there is one, stays as it is until {@link #commit}. A thread that is
     * interrupted while it writes closes it.
     *
     * @throws java.nio.file.FileSystemException when there can be no such file; names it or its folder
     */
    public static PcapWriter create(Path file, boolean nanoseconds) throws IOException {
        PcapWriter writer = new PcapWriter(ReplacedFile.open(file));
        try {
            writer.writeHeader(nanoseconds);
            return writer;
        } catch (IOException e) {
            writer.close();
            throw e;
        }
    }

    private void writeHeader(boolean nanoseconds) throws IOException {
        ByteBuffer header = ByteBuffer.allocate(PcapLayout.HEADER_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(PcapLayout.MAGIC,
                        nanoseconds ? PcapLayout.MAGIC_NANOSECONDS : PcapLayout.MAGIC_MICROSECONDS)
                .putShort(PcapLayout.VERSION_MAJOR, (short) PcapLayout.MAJOR)
                .putShort(PcapLayout.VERSION_MINOR, (short) PcapLayout.MINOR)
                .putInt(PcapLayout.SNAPLEN, SNAPLEN)
                .putInt(PcapLayout.LINKTYPE, PcapLayout.LINKTYPE_ETHERNET);
        channel.write(header);
    }

    /**
     * Adds a frame.
     *
     * @param captured whose times and original length are written
     * @param bytes of the frame, from position to limit; not changed
     */
    public void write(Frame captured, ByteBuffer bytes) throws IOException {
        record.clear()
                .putInt(PcapLayout.SECONDS, captured.seconds())
                .putInt(PcapLayout.FRACTION, captured.fraction())
                .putInt(PcapLayout.INCL_LEN, bytes.remaining())
                .putInt(PcapLayout.ORIG_LEN, captured.originalLength());
        channel.write(record);
        channel.write(bytes.duplicate());
    }

    /** The capture is whole: it takes its place, instead of the file that was there. Nothing is written after this. */
    public void commit() throws IOException {
        out.flush();
        file.commit();
    }

    /** Without a {@link #commit} before, no new file is left, and an old one is as it was. */
    @Override
    public void close() throws IOException {
        try (file) {
            out.close();
        }
    }
}
