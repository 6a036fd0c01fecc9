// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

/** No two users have one buffer, whatever is left in those that are free. */
class BuffersTest {

    private static final int CHUNK = 16;
    private static final int MORE = 64;

    private final Buffers buffers = new Buffers();

    @Test
    void shouldNotGiveOneBufferToTwoWhenFreeBuffersOfSeveralSizesWereReadToTheirEnd() {
        ByteBuffer chunk = readToItsEnd(buffers.take(CHUNK));
        ByteBuffer memory = readToItsEnd(buffers.take(MORE));
        assertThat(chunk).as("what makes them easy to mistake").isEqualTo(memory);
        buffers.give(chunk);
        buffers.give(memory);

        ByteBuffer first = buffers.take(CHUNK);
        ByteBuffer second = buffers.take(CHUNK);

        assertThat(first).isSameAs(chunk).isNotSameAs(second);
        assertThat(second).isNotSameAs(memory);
        assertThat(second.capacity()).isEqualTo(CHUNK);
        assertThat(buffers.take(MORE)).isSameAs(memory);
        assertThat(buffers.allocatedBytes()).isEqualTo(2 * CHUNK + MORE);
    }

    @Test
    void shouldUseABufferAgainAndClearIt() {
        ByteBuffer buffer = buffers.take(CHUNK);
        buffers.give(buffer.limit(3).position(2));

        assertThat(buffers.take(CHUNK)).isSameAs(buffer);
        assertThat(buffer.remaining()).isEqualTo(CHUNK);
        assertThat(buffer.isDirect()).isTrue();
        assertThat(buffers.allocatedBytes()).isEqualTo(CHUNK);
    }

    @Test
    void shouldNotUseABufferAgainThatIsNotGivenBack() {
        ByteBuffer kept = buffers.take(CHUNK);

        assertThat(buffers.take(CHUNK)).isNotSameAs(kept);
        assertThat(buffers.allocatedBytes()).isEqualTo(2 * CHUNK);
    }

    private static ByteBuffer readToItsEnd(ByteBuffer buffer) {
        return buffer.position(buffer.limit());
    }
}
