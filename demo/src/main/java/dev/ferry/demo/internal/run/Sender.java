// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.demo.internal.traffic.Frame;
import dev.ferry.demo.internal.traffic.Traffic;
import java.io.IOException;
import java.time.Duration;
import java.util.Optional;

/**
 * Sends the frames: the first half before the migration, then on while it runs, and a reserve once it has ended, so
 * that some come after it however few there are. Used by one thread.
 */
final class Sender {

    private static final int RESERVE_FRACTION = 4;
    /** For frames that a later one has overtaken. */
    private static final Duration STRAGGLER_LIMIT = Duration.ofSeconds(3);

    private final Traffic.Frames frames;
    private final long count;
    private final FrameLedger ledger;
    private final EmulatedNetwork network;
    private final Duration stallLimit;
    private final Pace pace;
    private long sent;

    /**
     * A sender at the first frame.
     *
     * @param count number of frames
     * @param over the time to spread them over
     * @param stallLimit how long to wait for a frame to come out of the guest
     */
    Sender(
            Traffic.Frames frames,
            long count,
            FrameLedger ledger,
            EmulatedNetwork network,
            Duration over,
            Duration stallLimit) {
        this.frames = frames;
        this.count = count;
        this.ledger = ledger;
        this.network = network;
        this.stallLimit = stallLimit;
        this.pace = new Pace(count, over);
    }

    /** Sends the first half; some of it came out at the source when it returns. */
    void sendFirstHalf() throws IOException, InterruptedException {
        sendUntil((count + 1) / 2);
        if (!ledger.awaitSettled(1, stallLimit)) {
            throw new IOException("no frame came out of the guest for " + stallLimit.toSeconds() + " s");
        }
    }

    /** Sends all but the reserve. */
    void sendUntilReserve() throws IOException, InterruptedException {
        sendUntil(Math.min(count - 1, count - count / RESERVE_FRACTION));
    }

    /** Sends what is left, and waits until all came out: patiently, but for what a later frame has overtaken. */
    void sendRest() throws IOException, InterruptedException {
        sendUntil(count);
        if (ledger.awaitLast(stallLimit)) {
            ledger.awaitSettled(count, STRAGGLER_LIMIT);
        }
    }

    private void sendUntil(long end) throws IOException, InterruptedException {
        while (sent < end) {
            Optional<Frame> frame = frames.next();
            if (frame.isEmpty()) {
                throw new IOException("the traffic ended after " + sent + " of " + count + " frames");
            }
            pace.await();
            ledger.sending(frame.get(), stallLimit);
            network.send(frame.get());
            sent++;
        }
    }
}
