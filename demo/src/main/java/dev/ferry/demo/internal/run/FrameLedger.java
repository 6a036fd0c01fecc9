// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.demo.internal.traffic.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.Iterator;
import java.util.LinkedHashSet;
import java.util.Optional;
import java.util.Set;
import java.util.function.BooleanSupplier;
import java.util.zip.CRC32C;

/**
 * Compares, byte for byte, the frames that come out of the guest with those that were sent, in their order.
 *
 * <p>It holds the frames that are on their way, so it is also what bounds them: whoever sends waits while there are too
 * many. Thread-safe.
 */
public final class FrameLedger {

    /** Most frames on their way. */
    static final int WINDOW_FRAMES = 8_192;
    /** Most bytes on their way. */
    static final long WINDOW_BYTES = 16L << 20;
    /** A frame that so many later ones have overtaken is lost. */
    static final int OVERTAKEN_FRAMES = 1_024;

    /** So many different frames that came out last are known when they come again. */
    static final int REMEMBERED_FRAMES = 16_384;

    private static final class Entry {
        private final Frame frame;
        private final long number;
        private boolean out;

        Entry(Frame frame, long number) {
            this.frame = frame;
            this.number = number;
        }
    }

    private final Deque<Entry> window = new ArrayDeque<>();
    private final Set<Long> remembered = new LinkedHashSet<>();
    private Optional<IOException> failure = Optional.empty();
    private long windowBytes;
    private long newestOut = -1;
    private long sent;
    private long lost;
    private long duplicated;
    private long reordered;
    private long foreign;
    private long atSource;
    private long atDestination;

    /**
     * Notes a frame that is about to be sent; waits while too many are on their way.
     *
     * @param limit how long to wait for another frame to come out
     * @throws IOException when none came out for so long, or when none can come any more
     */
    public synchronized void sending(Frame frame, Duration limit) throws IOException, InterruptedException {
        if (!await(() -> hasRoom(frame), limit)) {
            throw new IOException("no frame came out of the guest for " + limit.toSeconds() + " s; "
                    + window.size() + " are on their way");
        }
        window.add(new Entry(frame, sent++));
        windowBytes += frame.length();
    }

    private boolean hasRoom(Frame frame) {
        return window.isEmpty()
                || window.size() < WINDOW_FRAMES && windowBytes + frame.length() <= WINDOW_BYTES;
    }

    /**
     * Waits until so many frames came out or are lost; false when none did for as long as the limit.
     *
     * @throws IOException when none can come any more
     */
    public synchronized boolean awaitSettled(long frames, Duration limit) throws IOException, InterruptedException {
        return await(() -> settled() >= frames, limit);
    }

    /**
     * Waits until the frame that was sent last came out: what has not by then was overtaken. False when no frame came
     * out for as long as the limit.
     *
     * @throws IOException when none can come any more
     */
    public synchronized boolean awaitLast(Duration limit) throws IOException, InterruptedException {
        return await(() -> window.isEmpty() || newestOut == sent - 1, limit);
    }

    private long settled() {
        return sent - window.size();
    }

    // Behind a frame that is missing none is settled, but they come out.
    private long progress() {
        return settled() + newestOut;
    }

    // The limit begins anew with every frame.
    private boolean await(BooleanSupplier condition, Duration limit) throws IOException, InterruptedException {
        long before = progress();
        long deadline = System.nanoTime() + limit.toNanos();
        while (failure.isPresent() || !condition.getAsBoolean()) {
            if (failure.isPresent()) {
                throw new IOException(failure.get().getMessage(), failure.get());
            }
            long millis = (deadline - System.nanoTime()) / 1_000_000;
            if (millis <= 0) {
                return false;
            }
            wait(millis);
            if (progress() != before) {
                before = progress();
                deadline = System.nanoTime() + limit.toNanos();
            }
        }
        return true;
    }

    /**
     * A frame came out of the guest.
     *
     * @param bytes from position to limit; not changed
     * @return the frame that was sent; empty when it is a duplicate or a foreign one
     */
    public synchronized Optional<Frame> out(Side side, ByteBuffer bytes) {
        switch (side) {
            case SOURCE -> atSource++;
            case DESTINATION -> atDestination++;
        }
        Entry entry = find(bytes);
        if (entry == null) {
            if (remembered.contains(print(bytes))) {
                duplicated++;
            } else {
                foreign++;
            }
            return Optional.empty();
        }
        entry.out = true;
        if (entry.number < newestOut) {
            reordered++;
        }
        newestOut = Math.max(newestOut, entry.number);
        remember(print(bytes));
        settle();
        return Optional.of(entry.frame);
    }

    private Entry find(ByteBuffer bytes) {
        for (Entry entry : window) {
            if (!entry.out && entry.frame.bytes().equals(bytes)) {
                return entry;
            }
        }
        return null;
    }

    private void settle() {
        while (!window.isEmpty()
                && (window.peek().out || window.peek().number + OVERTAKEN_FRAMES < newestOut)) {
            Entry settled = window.remove();
            windowBytes -= settled.frame.length();
            lost += settled.out ? 0 : 1;
        }
        notifyAll();
    }

    /** The device did not want a frame: it will not come out. */
    public synchronized void refused(Frame frame) {
        Iterator<Entry> entries = window.iterator();
        while (entries.hasNext()) {
            Entry entry = entries.next();
            if (entry.frame == frame) {
                entries.remove();
                windowBytes -= frame.length();
                lost++;
                break;
            }
        }
        settle();
    }

    /**
     * What carries the frames has failed, so that no more will come out: whoever waits or sends is told so.
     *
     * @param why one sentence; the first one counts
     */
    public synchronized void fail(IOException why) {
        failure = failure.or(() -> Optional.of(why));
        notifyAll();
    }

    /** What became of the frames, when nothing more will come out: those on their way count as lost. */
    public synchronized FrameCounts counts() {
        long missing = window.stream().filter(entry -> !entry.out).count();
        return new FrameCounts(
                sent, atSource + atDestination, lost + missing, duplicated, reordered, foreign, atSource,
                atDestination);
    }

    private static long print(ByteBuffer bytes) {
        CRC32C crc = new CRC32C();
        crc.update(bytes.duplicate());
        return crc.getValue() | (long) bytes.remaining() << Integer.SIZE;
    }

    private void remember(long print) {
        // One that came again is as new as any: added without this it would keep its old place.
        remembered.remove(print);
        remembered.add(print);
        if (remembered.size() > REMEMBERED_FRAMES) {
            Iterator<Long> oldest = remembered.iterator();
            oldest.next();
            oldest.remove();
        }
    }
}
