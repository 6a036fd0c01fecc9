// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Set;
import java.util.TreeSet;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class PageNumbersPropertyTest {
    /** Pages around the end of the first block, which has 2^18. */
    private static final long BASE = (1 << 18) - 300;

    @Property(tries = 500)
    void shouldMoveTheSameNumbersAsASet(
            @ForAll @Size(max = 60) Set<@IntRange(max = 599) Integer> added,
            @ForAll @IntRange(max = 200) int addedFrom,
            @ForAll @IntRange(max = 400) int from,
            @ForAll @IntRange(min = 1, max = 199) int count) {
        PageNumbers pages = new PageNumbers();
        TreeSet<Long> expected = new TreeSet<>();
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bitmap = arena.allocate(80, 8);
            for (int page : added) {
                bitmap.set(JAVA_LONG, page / 64 * 8, bitmap.get(JAVA_LONG, page / 64 * 8) | 1L << page % 64);
                expected.add(BASE + addedFrom + page);
            }
            pages.add(BASE + addedFrom, bitmap);

            TreeSet<Long> inside = new TreeSet<>(expected.subSet(BASE + from, BASE + from + count));
            assertThat(moved(pages, BASE + from, count, arena)).isEqualTo(inside);
            expected.removeAll(inside);
            assertThat(moved(pages, 0, 1 << 19, arena)).isEqualTo(expected);
            assertThat(moved(pages, 0, 1 << 19, arena)).isEmpty();
        }
    }

    private static Set<Long> moved(PageNumbers pages, long first, int count, Arena arena) {
        MemorySegment bitmap = arena.allocate((count + 63) / 64 * 8L, 8);
        pages.moveTo(first, count, bitmap);
        Set<Long> numbers = new TreeSet<>();
        for (int i = 0; i < bitmap.byteSize() * 8; i++) {
            if ((bitmap.get(JAVA_LONG, i / 64 * 8L) >>> i & 1) != 0) {
                numbers.add(first + i);
            }
        }
        return numbers;
    }
}
