// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A tracker of memory from address 0 on to whom always the same pages are written: the least that one can do, a look at
 * every word, and the bits of those that are not zero. What it costs to record and to forget is not in it.
 *
 * @param bits one per page, direct and little-endian
 */
record SteadyTracker(ByteBuffer bits) implements DirtyTracker {

    @Override
    public Capabilities capabilities() {
        return new Capabilities("always the same pages", WrittenPages.PAGE_BYTES, 1, true);
    }

    @Override
    public void start(long pageSize, List<IovaRange> recorded) {
        // Always the same.
    }

    @Override
    public void reportAndClear(IovaRange range, ByteBuffer bitmap) {
        ByteBuffer into = bitmap.slice().order(ByteOrder.LITTLE_ENDIAN);
        int from = WrittenPages.bitmapBytes(range.iova());
        int length = WrittenPages.bitmapBytes(range.length());
        for (int at = 0; at < length; at += Long.BYTES) {
            long word = bits.getLong(from + at);
            if (word != 0) {
                into.putLong(at, into.getLong(at) | word);
            }
        }
    }

    @Override
    public void stop() {
        // Always the same.
    }
}
