// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import org.junit.jupiter.api.Test;

class PayloadBufferTest {

    private final PayloadBuffer buffer = new PayloadBuffer(ByteBuffer::allocate);

    @Test
    void shouldTakeMemoryByWhatArrivedWhateverIsClaimed() {
        int claimed = 1 << 30;
        buffer.append(ByteBuffer.allocate(10), 10, claimed);
        assertThat(buffer.capacity()).isEqualTo(PayloadBuffer.FIRST_BYTES);

        buffer.append(ByteBuffer.allocate(PayloadBuffer.FIRST_BYTES), PayloadBuffer.FIRST_BYTES, claimed);
        assertThat(buffer.capacity()).isLessThanOrEqualTo(2 * (PayloadBuffer.FIRST_BYTES + 10));
    }

    @Test
    void shouldNotGrowBeyondThePayload() {
        int size = PayloadBuffer.FIRST_BYTES + 100;
        buffer.append(ByteBuffer.allocate(size - 1), size - 1, size);
        buffer.append(ByteBuffer.wrap(new byte[] {9}), 1, size);

        assertThat(buffer.capacity()).isEqualTo(size);
        assertThat(buffer.payload().get(size - 1)).isEqualTo((byte) 9);
    }

    @Test
    void shouldKeepItsMemoryForTheNextPayload() {
        buffer.append(ByteBuffer.allocate(200_000), 200_000, 200_000);
        buffer.clear();
        buffer.append(ByteBuffer.wrap(new byte[] {1, 2}), 2, 2);

        assertThat(buffer.capacity()).isEqualTo(200_000);
        assertThat(buffer.payload()).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2}));
    }
}
