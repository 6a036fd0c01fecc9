// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.device.DeviceException;
import dev.ferry.stream.RecordDecoder;
import dev.ferry.stream.RecordDevice;
import dev.ferry.stream.RecordEncoder;
import dev.ferry.stream.RecordHeader;
import dev.ferry.stream.StreamFormat;
import dev.ferry.stream.virtiovf.internal.VirtiovfFormat;
import java.nio.ByteBuffer;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;

/**
 * Encoding and decoding one record, beside a plain copy of as many bytes in the same run.
 *
 * <p>The encoder's device fills nothing, so {@code encode} is what framing costs: one copy into the reader's buffer.
 * {@code decodeSegmented} is the case that needs a copy, a record that comes in four writes; {@code decodeWhole} is one
 * that comes in a single write, which is handed over in place.
 */
@State(Scope.Thread)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class RecordBenchmark {

    private static final int SEGMENTS = 4;

    /** Payload of the record: 64 KiB and 1 MiB. */
    @Param({"65536", "1048576"})
    public int payloadBytes;

    private ByteBuffer from;
    private ByteBuffer into;
    private RecordEncoder encoder;
    private RecordDecoder decoder;

    /** Makes one encoder and one decoder; both reuse their buffers, as they do within a session. */
    @Setup
    public void makeCodec() {
        int recordBytes = RecordHeader.BYTES + payloadBytes;
        from = ByteBuffer.allocateDirect(recordBytes);
        into = ByteBuffer.allocateDirect(recordBytes);
        new RecordHeader(payloadBytes, 0, RecordHeader.TAG_DEVICE_DATA).encode(from);
        while (from.hasRemaining()) {
            from.put((byte) from.position());
        }
        from.flip();
        StreamFormat format = new VirtiovfFormat();
        encoder = format.encoder(new SilentDevice(payloadBytes));
        decoder = format.decoder(new SilentDevice(payloadBytes));
    }

    /** The measure: as many bytes from one direct buffer to another. */
    @Benchmark
    public ByteBuffer copy() {
        return into.clear().put(0, from, 0, from.capacity());
    }

    /** One image: header and payload to the reader's buffer. */
    @Benchmark
    public int encode() throws DeviceException {
        encoder.capture();
        return encoder.read(into.clear());
    }

    /** One record in four writes. */
    @Benchmark
    public RecordDecoder decodeSegmented() throws DeviceException {
        int segment = from.capacity() / SEGMENTS;
        for (int at = 0; at < from.capacity(); at += segment) {
            decoder.write(from.limit(Math.min(at + segment, from.capacity())).position(at));
        }
        return decoder;
    }

    /** One record in one write. */
    @Benchmark
    public RecordDecoder decodeWhole() throws DeviceException {
        decoder.write(from.clear());
        return decoder;
    }

    /** A device that gives and takes parts without touching a byte. */
    private record SilentDevice(int partsBytes) implements RecordDevice {

        @Override
        public long imageSize() {
            return partsBytes;
        }

        @Override
        public void captureImage(ByteBuffer buffer) {
            buffer.position(buffer.position() + partsBytes);
        }

        @Override
        public void loadImage(ByteBuffer parts) {
            if (parts.remaining() != partsBytes) {
                throw new IllegalStateException("a record lost bytes: " + parts.remaining());
            }
        }

        @Override
        public void execute(int opcode, ByteBuffer data, ByteBuffer result) {
            throw new IllegalStateException("no record type is deployed");
        }
    }
}
