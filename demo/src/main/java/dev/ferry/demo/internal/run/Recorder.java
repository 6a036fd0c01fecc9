// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.cli.Errors;
import dev.ferry.demo.internal.pcap.PcapWriter;
import dev.ferry.demo.internal.traffic.Frame;
import dev.ferry.emulator.control.NetworkPort.FrameSink;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Optional;
import java.util.Queue;

/**
 * Takes the frames that come out of the guest at either end: into the ledger and into a file, on a thread of its
 * own, since devices hand them over while they hold their locks. A frame that waits here is still on its way for the
 * ledger, which so holds the sender back when the file is slow. When the file fails half-way the frames go on into the
 * ledger alone. Thread-safe.
 */
final class Recorder implements Closeable {

    /** More than can be on their way, with room for duplicates. */
    private static final int MOST_FRAMES = 2 * FrameLedger.WINDOW_FRAMES;
    private static final long MOST_BYTES = 2 * FrameLedger.WINDOW_BYTES;

    private static final long STUCK_NANOS = 1_000_000_000;
    private static final long INTERRUPTED_MILLIS = 1_000;
    private static final Frame UNKNOWN = new Frame(0, 0, 0, ByteBuffer.allocate(0));

    private record Item(Side side, ByteBuffer bytes) {}

    private final FrameLedger ledger;
    private final Optional<Path> file;
    private final boolean nanoseconds;
    private final Duration closeLimit;
    private final Thread thread = new Thread(this::run, "ferry-demo-recorder");
    private final Queue<Item> queue = new ArrayDeque<>();
    private long queuedBytes;
    private boolean closing;
    private boolean kept;
    private long busySince = System.nanoTime();
    private IOException failure;
    private Optional<String> fileFailure = Optional.empty();

    /**
     * A recorder that begins to work.
     *
     * @param nanoseconds whether the times of the frames are such
     * @param closeLimit how long {@link #close} waits for frames that are not in the file yet
     */
    Recorder(FrameLedger ledger, Optional<Path> file, boolean nanoseconds, Duration closeLimit) {
        this.ledger = ledger;
        this.file = file;
        this.nanoseconds = nanoseconds;
        this.closeLimit = closeLimit;
        thread.setDaemon(true);
        thread.start();
    }

    /** What to connect to the port of one end. */
    FrameSink at(Side side) {
        return frame -> transmitted(side, frame);
    }

    private synchronized void transmitted(Side side, ByteBuffer bytes) {
        if (failure != null) {
            return;
        }
        if (queue.size() == MOST_FRAMES || queuedBytes + bytes.remaining() > MOST_BYTES) {
            fail(new IOException("far more came out of the guest than was sent to it"));
            return;
        }
        queue.add(new Item(side, ByteBuffer.allocate(bytes.remaining()).put(bytes.duplicate()).flip()));
        queuedBytes += bytes.remaining();
        notifyAll();
    }

    /** What keeps frames from getting out of here; empty while they do. */
    synchronized Optional<String> trouble() {
        if (failure != null) {
            return Optional.of(failure.getMessage());
        }
        boolean stuck = thread.isAlive() && busySince != 0 && System.nanoTime() - busySince > STUCK_NANOS;
        return stuck ? Optional.of("the file of frames, " + file.map(Path::toString).orElse("none")
                + ", takes nothing") : Optional.empty();
    }

    /** The file is worth keeping: {@link #close} puts it in its place. Without this no new file is left. */
    synchronized void keep() {
        kept = true;
    }

    private synchronized boolean isKept() {
        return kept && failure == null;
    }

    /** What became of the file; final once this is closed. Empty when none was wanted. */
    synchronized Optional<DemoReport.Recording> recording() {
        return file.map(path -> new DemoReport.Recording(path, fileFailure));
    }

    private synchronized void loseFile(IOException why) {
        fileFailure = Optional.of(sentence(why));
    }

    private String sentence(Throwable why) {
        return "the file of frames, " + file.map(Path::toString).orElse("none") + ", could not be written: "
                + Errors.sentence(why);
    }

    /**
     * Waits, for a bounded time, until all is in the ledger and in the file, and closes the file.
     *
     * @throws IOException when not all got into the ledger, or the file is stuck or could not be created; says why
     */
    @Override
    public void close() throws IOException {
        synchronized (this) {
            closing = true;
            notifyAll();
        }
        try {
            thread.join(closeLimit.toMillis());
            if (thread.isAlive()) {
                fail(new IOException(trouble().orElse(
                        "not all frames were recorded within " + closeLimit.toSeconds() + " s")));
                abandonFile();
            }
        } catch (InterruptedException e) {
            fail(new IOException("interrupted before all frames were recorded", e));
            abandonFile();
            Thread.currentThread().interrupt();
        }
        synchronized (this) {
            if (failure != null) {
                throw new IOException(failure.getMessage(), failure);
            }
        }
    }

    // Closes a file that is stuck. The process may be about to end, so what is half-written has to go first.
    private void abandonFile() {
        thread.interrupt();
        try {
            thread.join(INTERRUPTED_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private synchronized void fail(IOException why) {
        failure = failure == null ? why : failure;
        queue.clear();
        queuedBytes = 0;
        ledger.fail(failure);
    }

    private void run() {
        try {
            if (file.isPresent()) {
                recordInto(PcapWriter.create(file.get(), nanoseconds));
            }
            // All there are without a file, or those that are left when it failed.
            recordAll(Optional.empty());
        } catch (Throwable e) {
            // An Error too: whoever waits for frames must hear why none come.
            fail(new IOException(sentence(e), e));
        }
    }

    private void recordInto(PcapWriter writer) throws InterruptedException {
        try (writer) {
            recordAll(Optional.of(writer));
            if (isKept()) {
                writer.commit();
            }
        } catch (IOException e) {
            loseFile(e);
        }
    }

    private void recordAll(Optional<PcapWriter> writer) throws IOException, InterruptedException {
        for (Item item = next(); item != null; item = next()) {
            Frame sent = ledger.out(item.side(), item.bytes()).orElse(UNKNOWN);
            if (writer.isPresent()) {
                writer.get().write(sent, item.bytes());
            }
        }
    }

    /** Waits for a frame; null when there will be none any more. */
    private synchronized Item next() throws InterruptedException {
        busySince = 0;
        while (queue.isEmpty() && !closing && failure == null) {
            wait();
        }
        busySince = System.nanoTime();
        Item item = queue.poll();
        queuedBytes -= item == null ? 0 : item.bytes().remaining();
        return item;
    }
}
