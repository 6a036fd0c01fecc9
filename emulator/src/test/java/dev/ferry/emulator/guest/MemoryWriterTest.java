// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class MemoryWriterTest {

    private static final long BASE = 0x1000_0000L;
    private static final long FIRST = BASE + 0x2000;
    private static final long MILLI = 1_000_000;

    private final GuestRam ram = GuestRam.allocate(64 * 4096);
    private long now = 5_000_000_000L;
    private MemoryWriter writer;

    @BeforeEach
    void create() {
        // 10,000 pages per second, so ten in a millisecond, of a working set of 15.
        MemoryWriter.create(ram, BASE + 0x1000, new MemoryLoad(10_000, 15), FIRST, 15);
        writer = there();
    }

    private MemoryWriter there() {
        MemoryWriter made = new MemoryWriter(ram, BASE + 0x1000, () -> now);
        made.resumed();
        return made;
    }

    private void pass(long nanos) {
        now += nanos;
    }

    @Test
    void shouldWriteAtItsRateInTurn() {
        assertThat(writer.poll()).isFalse();
        assertThat(writer.written()).isZero();
        assertThat(writer.nanosToNext()).isEqualTo(MILLI);
        pass(MILLI);
        assertThat(writer.nanosToNext()).isZero();
        assertThat(writer.poll()).isFalse();
        assertThat(writer.written()).isEqualTo(10);
        assertThat(ram.u64(FIRST + 9 * 4096)).isNotZero().isEqualTo(ram.u64(FIRST + 9 * 4096 + 4088));
        assertThat(ram.u64(FIRST + 10 * 4096)).isZero();

        long before = ram.u64(FIRST);
        pass(MILLI);
        writer.poll();
        assertThat(writer.written()).isEqualTo(20);
        assertThat(ram.u64(FIRST)).isNotEqualTo(before);
        assertThat(ram.u64(FIRST + 15 * 4096)).as("behind the working set").isZero();
        assertThat(writer.check()).isEmpty();
    }

    @Test
    void shouldWriteABoundedNumberInOneRoundAndMakeUpForAShortTimeOnly() {
        pass(5_000 * MILLI);
        int rounds = 1;
        while (writer.poll()) {
            rounds++;
        }
        assertThat(writer.written()).as("those of 100 ms").isEqualTo(1000);
        assertThat(rounds).isEqualTo(4);
    }

    @Test
    void shouldGoOnElsewhereAndNotMakeUpForThePause() {
        pass(2 * MILLI);
        writer.poll();
        pass(50 * MILLI);
        writer = there();
        assertThat(writer.poll()).isFalse();
        assertThat(writer.written()).isEqualTo(20);
        pass(MILLI);
        writer.poll();
        assertThat(writer.written()).isEqualTo(30);
        assertThat(writer.check()).isEmpty();
    }

    @Test
    void shouldFindAPageThatIsNotAsItWasWritten() {
        pass(2 * MILLI);
        writer.poll();
        ram.u8(FIRST + 7 * 4096 + 4095, 1 + ram.u8(FIRST + 7 * 4096 + 4095));
        assertThat(writer.check().orElseThrow()).contains("0x10009000").contains("7 of 20");
        pass(MILLI);
        assertThatThrownBy(writer::poll).isInstanceOf(GuestFault.class).hasMessageContaining("0x10009000");
    }

    @Test
    void shouldRefuseLoadsThatNoGuestHas() {
        assertThatIllegalArgumentException().isThrownBy(() -> new MemoryLoad(-1, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new MemoryLoad(1_000_001, 0));
        assertThatIllegalArgumentException().isThrownBy(() -> new MemoryLoad(1, -1));
    }
}
