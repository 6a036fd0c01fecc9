// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.memory;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.fail;

import dev.ferry.device.IovaRange;
import dev.ferry.emulator.Await;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
class PageLogTest {

    private static final long GIB = 1L << 30;
    private static final int ROUNDS = 100;

    private static PageLog log(long... startsAndLengths) {
        List<IovaRange> ranges = new ArrayList<>();
        for (int i = 0; i < startsAndLengths.length; i += 2) {
            ranges.add(new IovaRange(startsAndLengths[i], startsAndLengths[i + 1]));
        }
        return new PageLog(4096, ranges);
    }

    private static byte[] take(PageLog log, long iova, int pages) {
        byte[] bitmap = new byte[(pages + 63) / 64 * 8];
        log.take(new IovaRange(iova, pages * 4096L), ByteBuffer.wrap(bitmap));
        return bitmap;
    }

    @Test
    void shouldTellAWriteOnceByItsBit() {
        PageLog log = log(0x10_0000, 0x10_0000);
        log.written(0x10_9FFF, 1);
        assertThat(take(log, 0x10_0000, 16)).containsExactly(0, 2, 0, 0, 0, 0, 0, 0);
        assertThat(take(log, 0x10_0000, 16)).containsExactly(0, 0, 0, 0, 0, 0, 0, 0);
    }

    @Test
    void shouldCountEveryPageThatAWriteTouches() {
        PageLog log = log(0, 0x10_0000);
        log.written(0x1FFF, 0x1002);
        assertThat(take(log, 0, 64)).containsExactly(0b1110, 0, 0, 0, 0, 0, 0, 0);
    }

    @Test
    void shouldLeaveOtherBitsOfTheBitmapAndItsPosition() {
        PageLog log = log(0, 0x10_0000);
        log.written(0, 1);
        ByteBuffer bitmap = ByteBuffer.allocate(17).put(1, (byte) 0x80).put(0, (byte) 0x7f).position(1);
        log.take(new IovaRange(0, 0x4_0000), bitmap);
        assertThat(bitmap.array()[0]).isEqualTo((byte) 0x7f);
        assertThat(bitmap.array()[1]).isEqualTo((byte) 0x81);
        assertThat(bitmap.position()).isEqualTo(1);
        assertThat(bitmap.limit()).isEqualTo(17);
    }

    @Test
    void shouldTakeOnlyWhatWasAskedForFromTheMiddleOfAWord() {
        PageLog log = log(0, 0x100_0000);
        for (int page = 0; page < 256; page += 3) {
            log.written(page * 4096L, 4);
        }
        ByteBuffer bits = ByteBuffer.wrap(take(log, 10 * 4096L, 100)).order(ByteOrder.LITTLE_ENDIAN);
        for (int page = 0; page < 128; page++) {
            boolean set = (bits.getLong(page / 64 * 8) >>> page % 64 & 1) != 0;
            assertThat(set).as("page %d", page).isEqualTo(page < 100 && (page + 10) % 3 == 0);
        }
        assertThat(take(log, 0, 10)).startsWith(0b0100_1001, 0b10);
        assertThat(take(log, 110 * 4096L, 1)).startsWith(0);
        assertThat(take(log, 111 * 4096L, 1)).startsWith(1);
    }

    @Test
    void shouldIgnoreWhatLiesOutside() {
        PageLog log = log(0x10_0000, 0x1000, 0x20_0000, 0x1000);
        log.written(0x0F_FFFF, 1);
        log.written(0x10_1000, 1);
        log.written(0x18_0000, 0);
        assertThat(log.nextRunOrNull(0, 1L << 40)).isNull();
        log.written(0x0F_FFFF, 0x20_0000);
        assertThat(log.nextRunOrNull(0, 1L << 40)).isEqualTo(new IovaRange(0x10_0000, 0x1000));
        assertThat(log.nextRunOrNull(0x10_1000, 1L << 40)).isEqualTo(new IovaRange(0x20_0000, 0x1000));
        assertThat(log.covers(new IovaRange(0x10_0000, 0x10_1000))).isFalse();
    }

    @Test
    void shouldGiveOneRunAcrossWordsChunksAndRangesThatTouch() {
        PageLog log = log(4 * GIB, GIB, 3 * GIB, GIB);
        log.written(4 * GIB - 0x7000, 0xE001);
        assertThat(log.nextRunOrNull(0, 8 * GIB)).isEqualTo(new IovaRange(4 * GIB - 0x7000, 0xF000));
        assertThat(log.nextRunOrNull(0, 4 * GIB)).isEqualTo(new IovaRange(4 * GIB - 0x7000, 0x7000));
        log.clear(new IovaRange(4 * GIB - 0x6000, 0x8000));
        assertThat(log.nextRunOrNull(0, 8 * GIB)).isEqualTo(new IovaRange(4 * GIB - 0x7000, 0x1000));
        assertThat(log.nextRunOrNull(4 * GIB - 0x6000, 8 * GIB)).isEqualTo(new IovaRange(4 * GIB + 0x2000, 0x6000));
    }

    @Test
    void shouldTakeMemoryOnlyWhereThereAreWrites() {
        PageLog log = log(0, PageLog.MOST_PAGES * 4096);
        log.written(5L << 40, 1);
        assertThat(log.nextRunOrNull(0, 8L << 40)).isEqualTo(new IovaRange(5L << 40, 4096));
        assertThat(PageLog.fits(4096, List.of(new IovaRange(0, PageLog.MOST_PAGES * 4096)))).isTrue();
        assertThat(PageLog.fits(4096, List.of(new IovaRange(0, PageLog.MOST_PAGES * 4096 + 4096)))).isFalse();
    }

    /**
     * A value is written, then noted; whoever takes the note reads the value behind it. The last take of each round is
     * at rest, and a page is written once in a round, so that no later write hides one that was lost.
     */
    @Test
    void shouldNeverLoseAWriteThatIsNotedWhileOthersTake() throws Exception {
        int pages = 1 << 16;
        PageLog log = log(0, pages * 4096L);
        AtomicLongArray memory = new AtomicLongArray(pages);
        long[] copy = new long[pages];
        CyclicBarrier barrier = new CyclicBarrier(3);
        Thread first = writer(log, memory, 0, barrier);
        Thread second = writer(log, memory, 1, barrier);
        for (int round = 1; round <= ROUNDS; round++) {
            barrier.await(20, TimeUnit.SECONDS);
            for (int i = 0; i < 5; i++) {
                copyTaken(log, memory, copy);
            }
            barrier.await(20, TimeUnit.SECONDS);
            copyTaken(log, memory, copy);
            for (int page = 0; page < pages; page++) {
                if (copy[page] != round) {
                    fail("page %d was lost in round %d", page, round);
                }
            }
        }
        first.join();
        second.join();
    }

    private static Thread writer(PageLog log, AtomicLongArray memory, int parity, CyclicBarrier barrier) {
        Thread writer = new Thread(() -> {
            try {
                for (int round = 1; round <= ROUNDS; round++) {
                    barrier.await(20, TimeUnit.SECONDS);
                    for (int page = parity; page < memory.length(); page += 2) {
                        memory.setPlain(page, round);
                        log.written(page * 4096L, 8);
                    }
                    barrier.await(20, TimeUnit.SECONDS);
                }
            } catch (Exception e) {
                throw new IllegalStateException(e); // the barrier is broken then, and the test fails
            }
        });
        writer.setDaemon(true);
        writer.start();
        return writer;
    }

    @Test
    void shouldNoteWritesOfTwoThreadsInOneWord() throws Exception {
        PageLog log = log(0, 64 * 4096L);
        AtomicInteger begun = new AtomicInteger();
        AtomicInteger done = new AtomicInteger();
        int rounds = 20_000;
        Thread other = new Thread(() -> {
            for (int round = 1; round <= rounds; round++) {
                await(begun, round);
                writeHalf(log, 0);
                done.set(round);
            }
        });
        other.setDaemon(true);
        other.start();
        for (int round = 1; round <= rounds; round++) {
            begun.set(round);
            writeHalf(log, 32);
            await(done, round);
            assertThat(take(log, 0, 64)).containsOnly(-1);
        }
    }

    private static void writeHalf(PageLog log, int first) {
        for (int page = first; page < first + 32; page++) {
            log.written(page * 4096L, 1);
        }
    }

    private static void await(AtomicInteger counter, int value) {
        Await.until("the other thread", () -> counter.get() >= value);
    }

    private static void copyTaken(PageLog log, AtomicLongArray memory, long[] copy) {
        ByteBuffer bits = ByteBuffer.wrap(take(log, 0, copy.length)).order(ByteOrder.LITTLE_ENDIAN);
        for (int page = 0; page < copy.length; page++) {
            if ((bits.getLong(page / 64 * 8) >>> page % 64 & 1) != 0) {
                copy[page] = memory.getPlain(page);
            }
        }
    }
}
