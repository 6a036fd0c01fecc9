// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * The program behind a {@link MemoryLoad}. All it knows lies in guest memory, so it goes on wherever the guest does.
 * Before it writes a page again it looks whether the page still holds what it wrote. Runs on the guest's processor.
 *
 * <table>
 *   <caption>Layout of its record, little-endian</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>4</td><td>pages per second</td></tr>
 *   <tr><td>4</td><td>4</td><td>pages of the working set</td></tr>
 *   <tr><td>8</td><td>8</td><td>address of the first one</td></tr>
 *   <tr><td>16</td><td>8</td><td>pages written so far</td></tr>
 * </table>
 */
final class MemoryWriter {

    static final int RECORD_BYTES = 24;

    /** Pages of one round at most, so that the processor can be paused and frames do not wait. */
    static final int MOST_PER_ROUND = 256;

    private static final int RATE = 0;
    private static final int PAGES = 4;
    private static final int FIRST = 8;
    private static final int WRITTEN = 16;
    private static final int LAST_WORD = DriverQueue.PAGE_BYTES - Long.BYTES;

    /** The processor is not woken more often than this. */
    private static final long TICK_NANOS = TimeUnit.MILLISECONDS.toNanos(1);
    /** What was missed longer ago is not made up for. */
    private static final long MOST_BEHIND_NANOS = TimeUnit.MILLISECONDS.toNanos(100);
    /** Spreads numbers over all bits (the golden ratio in 64 bits). */
    private static final long SPREAD = 0x9E37_79B9_7F4A_7C15L;

    private final GuestRam ram;
    private final long record;
    private final LongSupplier nanoTime;
    private final int pages;
    private final long first;
    private final long nanosPerPage;
    /** Up to when pages were written; meaningful while the processor runs. */
    private long doneUntil;

    /** The program whose record is at an address. */
    MemoryWriter(GuestRam ram, long record, LongSupplier nanoTime) {
        this.ram = ram;
        this.record = record;
        this.nanoTime = nanoTime;
        this.pages = ram.u32(record + PAGES);
        this.first = ram.u64(record + FIRST);
        this.nanosPerPage = TimeUnit.SECONDS.toNanos(1) / ram.u32(record + RATE);
    }

    /** Writes the record of a program that has not begun. */
    static void create(GuestRam ram, long record, MemoryLoad load, long first, int pages) {
        ram.u32(record + RATE, load.pagesPerSecond());
        ram.u32(record + PAGES, pages);
        ram.u64(record + FIRST, first);
        ram.u64(record + WRITTEN, 0);
    }

    /** Pages written since the boot, at all ends. */
    long written() {
        return ram.u64(record + WRITTEN);
    }

    /** The processor runs again: the time that it did not is not made up for. */
    void resumed() {
        doneUntil = nanoTime.getAsLong();
    }

    /** Nanoseconds until there is something to write, 0 for now. */
    long nanosToNext() {
        return Math.max(0, doneUntil + Math.max(nanosPerPage, TICK_NANOS) - nanoTime.getAsLong());
    }

    /** Writes what is due; returns whether there is more. */
    boolean poll() {
        long now = nanoTime.getAsLong();
        doneUntil = Math.max(doneUntil, now - MOST_BEHIND_NANOS);
        long due = (now - doneUntil) / nanosPerPage;
        int count = (int) Math.min(due, MOST_PER_ROUND);
        for (int i = 0; i < count; i++) {
            writeNext();
        }
        doneUntil += count * nanosPerPage;
        return due > count;
    }

    private void writeNext() {
        long number = written();
        if (number >= pages && !holds(number - pages)) {
            throw new GuestFault(lost(number - pages));
        }
        ram.u64(address(number), value(number));
        ram.u64(address(number) + LAST_WORD, value(number));
        ram.u64(record + WRITTEN, number + 1);
    }

    /** Looks at the whole working set; says which page does not hold what was written last, if there is one. */
    Optional<String> check() {
        long written = written();
        for (long number = Math.max(0, written - pages); number < written; number++) {
            if (!holds(number)) {
                return Optional.of(lost(number));
            }
        }
        return Optional.empty();
    }

    private boolean holds(long number) {
        return ram.u64(address(number)) == value(number) && ram.u64(address(number) + LAST_WORD) == value(number);
    }

    private String lost(long number) {
        return "the page at 0x%x does not hold what the guest wrote there as its write %d of %d"
                .formatted(address(number), number, written());
    }

    private long address(long number) {
        return first + number % pages * DriverQueue.PAGE_BYTES;
    }

    private static long value(long number) {
        return (number + 1) * SPREAD;
    }
}
