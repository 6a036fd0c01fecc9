// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.IovaRange;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class PageLogPropertyTest {

    private static final int FIRST = 300;
    private static final int PAGES = 700;

    /** Two ranges with a gap of 100 pages; any writes, then any part of one range, then all of both. */
    @Property
    void shouldTellEachWrittenPageOnce(
            @ForAll @Size(max = 20) List<@IntRange(min = 0, max = 1999) Integer> from,
            @ForAll @IntRange(min = 0, max = 200) int length,
            @ForAll @IntRange(min = 0, max = PAGES - 1) int begin,
            @ForAll @IntRange(min = 1, max = PAGES) int count) {
        PageLog log = new PageLog(4096, List.of(range(FIRST, PAGES), range(FIRST + PAGES + 100, PAGES)));
        BitSet expected = new BitSet();
        for (int page : from) {
            log.written(page * 4096L + 17, length * 4096);
            if (length > 0) {
                expected.set(page, page + length + 1);
            }
        }
        expected.clear(0, FIRST);
        expected.clear(FIRST + PAGES, FIRST + PAGES + 100);
        expected.clear(FIRST + 2 * PAGES + 100, 4000);

        int part = Math.min(count, PAGES - begin);
        BitSet taken = take(log, FIRST + begin, part);
        assertThat(taken).isEqualTo(expected.get(FIRST + begin, FIRST + begin + part));
        expected.clear(FIRST + begin, FIRST + begin + part);

        assertThat(runs(log)).isEqualTo(expected);
        assertThat(take(log, FIRST, PAGES)).isEqualTo(expected.get(FIRST, FIRST + PAGES));
        int second = FIRST + PAGES + 100;
        assertThat(take(log, second, PAGES)).isEqualTo(expected.get(second, second + PAGES));
        assertThat(runs(log).isEmpty()).isTrue();
    }

    private static BitSet runs(PageLog log) {
        BitSet runs = new BitSet();
        long end = 1L << 40;
        for (IovaRange run = log.nextRunOrNull(0, end); run != null; run = log.nextRunOrNull(run.end(), end)) {
            runs.set((int) (run.iova() / 4096), (int) (run.end() / 4096));
        }
        return runs;
    }

    private static BitSet take(PageLog log, int page, int pages) {
        ByteBuffer bitmap = ByteBuffer.allocate((pages + 63) / 64 * 8);
        log.take(range(page, pages), bitmap);
        return BitSet.valueOf(bitmap.array());
    }

    private static IovaRange range(int page, int pages) {
        return new IovaRange(page * 4096L, pages * 4096L);
    }
}
