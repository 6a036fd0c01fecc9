// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.vfio.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.stream.StreamInspection;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class StateInspectionPropertyTest {
    private static final byte[] STREAM = VfioStateReaderTest.bytes("ffffffffef100004 0000000000000003 010203"
            + "ffffffffef100002 0000000000000040" + "11".repeat(64) + "ffffffffef100001 0000000000000000");

    private static final int HEADER_BYTES = 16;
    /** Where the headers of the stream begin. */
    private static final int[] HEADERS = {0, 19, 99};

    /** Gives so many bytes at a time. */
    private record Pieces(ByteBuffer rest, int most) implements ReadableByteChannel {
        @Override
        public int read(ByteBuffer into) {
            if (!rest.hasRemaining()) {
                return -1;
            }
            int count = Math.min(most, Math.min(into.remaining(), rest.remaining()));
            into.put(rest.slice(rest.position(), count));
            rest.position(rest.position() + count);
            return count;
        }

        @Override
        public boolean isOpen() {
            return true;
        }

        @Override
        public void close() {
            // Nothing is held.
        }
    }

    private static StreamInspection inspect(byte[] stream, int most) throws IOException {
        return new VfioStateReader().inspect(new Pieces(ByteBuffer.wrap(stream), most));
    }

    @Property
    void shouldFindTheSameHoweverTheBytesCome(@ForAll @IntRange(min = 1, max = 120) int most) throws IOException {
        assertThat(inspect(STREAM, most)).isEqualTo(inspect(STREAM, STREAM.length));
        assertThat(inspect(STREAM, most).isValid()).isTrue();
    }

    /** In a header every byte counts: another mark is none or has another length, another length leads elsewhere. */
    @Property
    void shouldEndWithAFaultInsideTheStreamWhenAHeaderIsDamaged(
            @ForAll @IntRange(max = 2) int header,
            @ForAll @IntRange(max = HEADER_BYTES - 1) int at,
            @ForAll @IntRange(min = 1, max = 255) int bits)
            throws IOException {
        byte[] damaged = STREAM.clone();
        damaged[HEADERS[header] + at] ^= (byte) bits;
        StreamInspection found = inspect(damaged, 7);
        assertThat(found.fault().isPresent()).isEqualTo(!isAnotherStream(header, at, bits));
        found.fault().ifPresent(fault -> assertThat(fault.offset()).isBetween(0L, (long) damaged.length));
    }

    /** The configuration space as content of the first record, or as data of its own. */
    private static boolean isAnotherStream(int header, int at, int bits) {
        return header == 0 && at == HEADER_BYTES - 1 && bits == (3 ^ 3 + HEADER_BYTES + 64)
                || header == 1 && at == Long.BYTES - 1 && bits == (2 ^ 4);
    }

    @Property
    void shouldFindNothingWrongWhenContentIsDamaged(
            @ForAll @IntRange(max = 66) int at, @ForAll byte value) throws IOException {
        byte[] damaged = STREAM.clone();
        damaged[at < 3 ? HEADER_BYTES + at : HEADERS[1] + HEADER_BYTES + at - 3] = value;
        assertThat(inspect(damaged, 7).fault()).isEmpty();
    }

    @Property
    void shouldAlwaysEndWithAFaultOnBytesOfNoForm(@ForAll byte[] noise) throws IOException {
        assertThat(inspect(noise, 64).fault()).isPresent();
    }
}
