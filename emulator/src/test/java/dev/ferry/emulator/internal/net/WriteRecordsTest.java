// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.IovaRange;
import dev.ferry.emulator.internal.member.WriteRecording.Records;
import java.util.BitSet;
import java.util.List;
import java.util.Random;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import org.junit.jupiter.api.Test;

/** The log of written pages: merged, within its ranges, bounded. */
class WriteRecordsTest {

    private static final long PAGE = 4096;

    private final WriteRecords log = new WriteRecords();

    private void start(IovaRange... ranges) {
        log.start(PAGE, List.of(ranges));
    }

    private static IovaRange pages(long first, long count) {
        return new IovaRange(first * PAGE, count * PAGE);
    }

    private List<IovaRange> read(IovaRange range) {
        Records records = log.read(range, 100, false);
        assertThat(records.more()).isFalse();
        assertThat(records.overflow()).isFalse();
        return records.records();
    }

    @Test
    void shouldMergeNeighboursAndCoverEveryPageThatIsTouched() {
        start(pages(0, 100));
        log.writing(10 * PAGE + 5, 1);
        log.writing(12 * PAGE - 1, 2);
        log.writing(50 * PAGE, 2 * (int) PAGE);
        log.writing(60 * PAGE, 0);

        assertThat(read(pages(0, 100))).containsExactly(pages(10, 3), pages(50, 2));
        assertThat(read(pages(0, 100))).isEmpty();
    }

    @Test
    void shouldRecordOnlyInsideItsRanges() {
        start(pages(10, 2), pages(20, 1));
        log.writing(0, 64 * (int) PAGE);

        assertThat(read(pages(0, 100))).containsExactly(pages(10, 2), pages(20, 1));
    }

    @Test
    void shouldGiveAndClearOnlyWhatIsAskedFor() {
        start(pages(0, 100));
        log.writing(0, 10 * (int) PAGE);

        assertThat(read(pages(3, 2))).containsExactly(pages(3, 2));
        assertThat(read(new IovaRange(5 * PAGE + 1, 2 * PAGE))).as("whole pages").containsExactly(pages(6, 1));
        assertThat(read(pages(0, 100))).containsExactly(pages(0, 3), pages(5, 1), pages(7, 3));
    }

    @Test
    void shouldKeepRecordsThatArePeekedAt() {
        start(pages(0, 100));
        log.writing(0, 1);

        assertThat(log.read(pages(0, 100), 1, true).records()).containsExactly(pages(0, 1));
        assertThat(read(pages(0, 100))).containsExactly(pages(0, 1));
    }

    @Test
    void shouldSayThatThereIsMoreAndClearWhatWasGiven() {
        start(pages(0, 100));
        log.writing(0, 1);
        log.writing(10 * PAGE, 1);

        Records first = log.read(pages(0, 100), 1, false);

        assertThat(first.more()).isTrue();
        assertThat(first.records()).containsExactly(pages(0, 1));
        assertThat(read(pages(0, 100))).containsExactly(pages(10, 1));
    }

    @Test
    void shouldLoseTheLogWhenThereAreTooManyRecordsAndBeginAnew() {
        start(pages(0, 1 << 20));
        for (long page = 0; page < 1 << 18; page += 2) {
            log.writing(page * PAGE, 1);
        }

        assertThat(log.read(pages(0, 1), 1, true).overflow()).as("peeked at").isTrue();
        Records lost = log.read(pages(0, 1), 1, false);

        assertThat(lost.overflow()).isTrue();
        assertThat(lost.records()).isEmpty();
        log.writing(7 * PAGE, 1);
        assertThat(read(pages(0, 100))).containsExactly(pages(7, 1));
    }

    @Property(tries = 300)
    void shouldAgreeWithABitmap(@ForAll long seed) {
        Random random = new Random(seed);
        start(pages(8, 16), pages(32, 32));
        BitSet expected = new BitSet();
        for (int step = 0; step < 60; step++) {
            int first = random.nextInt(70);
            int count = 1 + random.nextInt(6);
            if (random.nextInt(4) > 0) {
                log.writing(first * PAGE + random.nextInt(4096), (count - 1) * (int) PAGE + 1);
                for (int page = first; page < first + count; page++) {
                    if (page >= 8 && page < 24 || page >= 32 && page < 64) {
                        expected.set(page);
                    }
                }
            } else {
                BitSet got = new BitSet();
                log.read(pages(first, count), 100, false)
                        .records()
                        .forEach(record -> got.set((int) (record.iova() / PAGE), (int) (record.end() / PAGE)));
                BitSet wanted = expected.get(0, first + count);
                wanted.clear(0, first);
                assertThat(got).isEqualTo(wanted);
                expected.clear(first, first + count);
            }
        }
    }
}
