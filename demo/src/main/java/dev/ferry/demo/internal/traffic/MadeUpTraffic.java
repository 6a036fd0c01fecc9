// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.traffic;

import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.SplittableRandom;

/**
 * Frames with a sequence number and otherwise random bytes: most of 60 to 1,514 bytes, some up to the longest there
 * are. The same in each run. Immutable.
 */
public final class MadeUpTraffic implements Traffic {

    private static final long SEED = 20_260_101;
    private static final int USUAL_MIN_BYTES = 60;
    private static final int USUAL_MAX_BYTES = 1_514;
    private static final int ONE_JUMBO_IN = 100;
    private static final byte[] TO_AND_FROM = {0x02, 0, 0, 0, 0, 0x01, 0x02, 0, 0, 0, 0, 0x02};
    /** IEEE 802, Local Experimental Ethertype 1. */
    private static final short ETHERTYPE = (short) 0x88B5;
    private static final int MICROS_PER_SECOND = 1_000_000;
    private static final int MICROS_PER_FRAME = 100;

    private final long count;
    private final long seed;

    /** So many frames, 1 or more. */
    public MadeUpTraffic(long count) {
        this(count, 0);
    }

    /**
     * Frames that those of other flows are not.
     *
     * @param count 1 or more
     * @param flow which of several that go on at a time, 0 or more
     */
    public MadeUpTraffic(long count, int flow) {
        this.count = count;
        this.seed = SEED + flow;
    }

    @Override
    public long count() {
        return count;
    }

    @Override
    public boolean nanoseconds() {
        return false;
    }

    @Override
    public String description() {
        return count + " made-up frames";
    }

    @Override
    public Frames open() {
        return new Frames() {
            private final SplittableRandom random = new SplittableRandom(seed);
            private long made;

            @Override
            public Optional<Frame> next() {
                return made == count ? Optional.empty() : Optional.of(make(made++, random));
            }

            @Override
            public void close() {
                // Nothing is held.
            }
        };
    }

    private static Frame make(long number, SplittableRandom random) {
        boolean jumbo = random.nextInt(ONE_JUMBO_IN) == 0;
        int length = jumbo
                ? random.nextInt(USUAL_MAX_BYTES + 1, Frame.MAX_BYTES + 1)
                : random.nextInt(USUAL_MIN_BYTES, USUAL_MAX_BYTES + 1);
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        ByteBuffer.wrap(bytes).put(TO_AND_FROM).putShort(ETHERTYPE).putLong(number);
        long micros = number * MICROS_PER_FRAME;
        return new Frame(
                (int) (micros / MICROS_PER_SECOND),
                (int) (micros % MICROS_PER_SECOND),
                length,
                ByteBuffer.wrap(bytes));
    }
}
