// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.IovaRange;
import java.util.BitSet;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class IovaRangesPropertyTest {
    private static final int MOST = 64;

    record Step(boolean add, int first, int count) {
        IovaRange range() {
            return new IovaRange(first, count);
        }
    }

    @Provide
    Arbitrary<List<Step>> steps() {
        return Combinators.combine(
                        Arbitraries.of(true, true, false), Arbitraries.integers().between(0, MOST - 1),
                        Arbitraries.integers().between(1, 12))
                .as(Step::new).list().ofMaxSize(40);
    }

    @Property
    void shouldHoldWhatASetOfNumbersHolds(@ForAll("steps") List<Step> steps) {
        IovaRanges ranges = new IovaRanges();
        BitSet expected = new BitSet();
        for (Step step : steps) {
            if (step.add()) {
                ranges.add(step.range());
            } else {
                ranges.remove(step.range());
            }
            expected.set(step.first(), step.first() + step.count(), step.add());
        }

        List<IovaRange> all = ranges.within(new IovaRange(0, 2 * MOST));
        assertThat(bits(all)).isEqualTo(expected);
        for (int i = 1; i < all.size(); i++) {
            assertThat(all.get(i - 1).end()).as("they ascend and do not touch").isLessThan(all.get(i).iova());
        }
        for (Step step : steps) {
            BitSet part = new BitSet();
            part.set(step.first(), step.first() + step.count());
            part.and(expected);
            assertThat(bits(ranges.within(step.range()))).isEqualTo(part);
        }
        ranges.clear();
        assertThat(ranges.within(new IovaRange(0, 2 * MOST))).isEmpty();
    }

    private static BitSet bits(List<IovaRange> ranges) {
        BitSet bits = new BitSet();
        ranges.forEach(range -> bits.set((int) range.iova(), (int) range.end()));
        return bits;
    }
}
