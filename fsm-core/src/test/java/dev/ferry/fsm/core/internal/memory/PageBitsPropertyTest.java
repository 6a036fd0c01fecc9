// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class PageBitsPropertyTest {

    @Property(tries = 500)
    void shouldAnswerAsABitSet(
            @ForAll @IntRange(min = 1, max = 3000) int size,
            @ForAll @Size(max = 40) int[] edges) throws Exception {
        PageBits bits = new PageBits(size);
        BitSet expected = new BitSet(size);
        for (int i = 0; i + 1 < edges.length; i += 2) {
            int one = Math.floorMod(edges[i], size + 1);
            int other = Math.floorMod(edges[i + 1], size + 1);
            int from = Math.min(one, other);
            int to = Math.max(one, other);
            bits.set(from, to);
            expected.set(from, to);
        }
        assertThat(bits.count()).isEqualTo(expected.cardinality());
        byte[] layout = new byte[bits.slice(0, size).remaining()];
        bits.slice(0, size).get(layout);
        for (int page = 0; page < size; page++) {
            assertThat((layout[page / 8] >> page % 8 & 1) == 1)
                    .as("bit i %% 8 of byte i / 8")
                    .isEqualTo(expected.get(page));
        }
        BitSet drained = new BitSet(size);
        List<Long> ends = new ArrayList<>(List.of(-1L));
        bits.drain((from, to) -> {
            assertThat(from).as("runs do not touch each other").isGreaterThan(ends.get(ends.size() - 1));
            ends.add(to);
            drained.set((int) from, (int) to);
        });
        assertThat(drained).isEqualTo(expected);
        assertThat(bits.count()).isZero();
    }

    @Property(tries = 200)
    void shouldMoveBitsBehindOthers(
            @ForAll @IntRange(min = 1, max = 1500) int size,
            @ForAll @IntRange(min = 0, max = 9) int words,
            @ForAll @Size(max = 60) int[] moved,
            @ForAll @Size(max = 60) int[] there) throws Exception {
        int begin = words * Long.SIZE;
        PageBits others = new PageBits(size);
        PageBits bits = new PageBits(begin + size);
        BitSet expected = new BitSet();
        for (int bit : moved) {
            int at = Math.floorMod(bit, size);
            others.set(at, at + 1);
            expected.set(begin + at);
        }
        for (int bit : there) {
            int at = Math.floorMod(bit, begin + size);
            bits.set(at, at + 1);
            expected.set(at);
        }

        bits.move(others, begin);

        assertThat(others.count()).isZero();
        BitSet found = new BitSet();
        bits.drain((from, to) -> found.set((int) from, (int) to));
        assertThat(found).isEqualTo(expected);
    }
}
