// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.BufferOverflowException;
import java.nio.BufferUnderflowException;
import java.nio.ByteBuffer;
import java.util.HexFormat;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

class RecordHeaderTest {

    private static final byte[] BYTES = HexFormat.of().parseHex("0807060504030201" + "01000000" + "efbeadde");

    @Test
    void shouldLieAsTheKernelDriverWritesIt() {
        ByteBuffer into = ByteBuffer.allocate(20).position(2);
        new RecordHeader(0x0102030405060708L, 1, 0xDEADBEEF).encode(into);
        assertThat(into.position()).isEqualTo(18);
        byte[] written = new byte[16];
        into.get(2, written);
        assertThat(written).isEqualTo(BYTES);
    }

    @Test
    void shouldReadWhateverTheOrderOfTheBuffer() {
        ByteBuffer from = ByteBuffer.wrap(BYTES);
        RecordHeader header = RecordHeader.decode(from);
        assertThat(header).isEqualTo(new RecordHeader(0x0102030405060708L, 1, 0xDEADBEEF));
        assertThat(header.isOptional()).isTrue();
        assertThat(from.hasRemaining()).isFalse();
    }

    @Test
    void shouldTouchNothingWhenSpaceOrBytesAreMissing() {
        ByteBuffer small = ByteBuffer.allocate(15);
        assertThatThrownBy(() -> new RecordHeader(1, 0, 0).encode(small)).isInstanceOf(BufferOverflowException.class);
        assertThatThrownBy(() -> RecordHeader.decode(small)).isInstanceOf(BufferUnderflowException.class);
        assertThat(small.position()).isZero();
        assertThat(small.array()).containsOnly(0);
    }

    @Property(tries = 200)
    void shouldComeBackAsItWent(@ForAll long size, @ForAll int flags, @ForAll int tag) {
        RecordHeader header = new RecordHeader(size, flags, tag);
        ByteBuffer bytes = ByteBuffer.allocate(RecordHeader.BYTES);
        header.encode(bytes);
        assertThat(RecordHeader.decode(bytes.flip())).isEqualTo(header);
    }
}
