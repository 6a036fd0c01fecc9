// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import dev.ferry.device.IovaRange;
import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.migration.MigrationException;
import java.nio.ByteBuffer;

/**
 * Some neighbouring pages of a bitmap, whole words of its bits. Whoever sets some of them has the slice to itself
 * meanwhile: a tracker that reports into it, or one that adds what it reported elsewhere. Thread-safe.
 */
final class Slice {

    /** Between two looks at the gate. */
    private static final long TICK_MILLIS = 50;

    private final PageBits bits;
    private final long firstPage;
    private final long pages;
    private final IovaRange memory;
    private boolean taken;

    /** The bits of these pages, {@code firstPage} being a multiple of 64, and the memory they stand for. */
    Slice(PageBits bits, long firstPage, long pages, IovaRange memory) {
        this.bits = bits;
        this.firstPage = firstPage;
        this.pages = pages;
        this.memory = memory;
    }

    /** Whole pages. */
    IovaRange memory() {
        return memory;
    }

    /** The first page behind it. */
    long endPage() {
        return firstPage + pages;
    }

    /** For a tracker to set, after {@link #takeNow}. */
    ByteBuffer bits() {
        return bits.slice(firstPage, pages);
    }

    /** Takes the slice where nobody has it; answers whether it did. */
    synchronized boolean takeNow() {
        boolean free = !taken;
        taken = true;
        return free;
    }

    /** Gives it back. */
    synchronized void giveBack() {
        taken = false;
        notifyAll();
    }

    /** Sets the bits that are set in others, which begin where it does, and clears those. */
    void move(PageBits others, Gate gate) throws MigrationException {
        take(gate);
        try {
            bits.move(others, firstPage);
        } finally {
            giveBack();
        }
    }

    /** Sets the bits from one page of it to before another. */
    void set(long from, long to, Gate gate) throws MigrationException {
        take(gate);
        try {
            bits.set(from, to);
        } finally {
            giveBack();
        }
    }

    /** Waits no longer than the gate allows, and otherwise than the one call of a tracker that has it. */
    private void take(Gate gate) throws MigrationException {
        boolean interrupted = false;
        try {
            while (!takeNow()) {
                gate.check();
                interrupted |= isInterrupted();
            }
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }

    /** Waits a moment; answers whether that was interrupted. */
    private synchronized boolean isInterrupted() {
        try {
            if (taken) {
                wait(TICK_MILLIS);
            }
            return false;
        } catch (InterruptedException e) {
            return true;
        }
    }
}
