// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import java.nio.ByteBuffer;
import java.util.List;

/** Reports the first page of whatever it is asked for. */
final class MemoryTracker implements DirtyTracker {
    private static final long PAGE = 4096;

    /** Empty: it does not record. */
    private List<IovaRange> recorded = List.of();

    @Override
    public Capabilities capabilities() {
        return new Capabilities("the first page", PAGE, Integer.MAX_VALUE, false);
    }

    @Override
    public void start(long pageSize, List<IovaRange> ranges) throws DeviceException {
        require(recorded.isEmpty(), Errno.EBUSY);
        require(pageSize == PAGE && !ranges.isEmpty(), Errno.EINVAL);
        long end = 0;
        for (IovaRange range : ranges) {
            require(range.iova() >= end && isAligned(range), Errno.EINVAL);
            end = range.end();
        }
        recorded = List.copyOf(ranges);
    }

    @Override
    public void reportAndClear(IovaRange range, ByteBuffer bitmap) throws DeviceException {
        boolean inside = recorded.stream()
                .anyMatch(one -> range.iova() >= one.iova() && range.end() <= one.end());
        require(inside && isAligned(range), Errno.EINVAL);
        long pages = range.length() / PAGE;
        require(pages <= (long) bitmap.remaining() * Byte.SIZE, Errno.EINVAL);
        bitmap.put(bitmap.position(), (byte) (bitmap.get(bitmap.position()) | 1));
    }

    @Override
    public void stop() {
        recorded = List.of();
    }

    private static boolean isAligned(IovaRange range) {
        return range.iova() % PAGE == 0 && range.length() % PAGE == 0;
    }

    private static void require(boolean held, Errno otherwise) throws DeviceException {
        if (!held) {
            throw new DeviceException(otherwise, "not as demanded");
        }
    }
}
