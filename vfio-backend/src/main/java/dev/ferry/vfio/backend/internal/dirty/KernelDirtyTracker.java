// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.KernelBitmap;
import dev.ferry.vfio.backend.internal.device.KernelException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;

/**
 * A tracker on a {@link DirtyLog}: checks, and the bitmap that the kernel fills. Thread-safe; one call at a time gets
 * through.
 *
 * <p>An error of a report leaves nothing to rely on, says the user API; recording is then begun anew, and the caller
 * told that all pages count as written.
 */
final class KernelDirtyTracker implements DirtyTracker {
    private static final int PAGES_PER_WORD = Long.SIZE;

    private final String device;
    private final Capabilities capabilities;
    private final long mostPages;
    private final int hostPageSize;
    private final DirtyLog log;
    private long recordedPageSize;
    /** What the caller has recorded; empty when nothing is. */
    private List<IovaRange> recorded = List.of();
    /** The kernel may record, whatever the caller was told: true until it was ended without an error. */
    private boolean begun;

    /**
     * A tracker that does not record.
     *
     * @param mostPages pages of one report at most; a longer range is reported in parts. A multiple of 64
     * @param hostPageSize in bytes
     */
    KernelDirtyTracker(
            String device, Capabilities capabilities, long mostPages, int hostPageSize, DirtyLog log) {
        this.device = device;
        this.capabilities = capabilities;
        this.mostPages = mostPages;
        this.hostPageSize = hostPageSize;
        this.log = log;
    }

    @Override
    public Capabilities capabilities() {
        return capabilities;
    }

    @Override
    public synchronized void start(long pageSize, List<IovaRange> ranges) throws DeviceException {
        if (isRecording()) {
            throw new DeviceException(Errno.EBUSY, device + " records dirty pages already");
        }
        requirePageSize(pageSize);
        requireAscending(pageSize, ranges);
        endInKernel();
        log.begin(pageSize, ranges);
        begun = true;
        recordedPageSize = pageSize;
        recorded = List.copyOf(ranges);
    }

    private boolean isRecording() {
        return !recorded.isEmpty();
    }

    private void requirePageSize(long pageSize) throws DeviceException {
        if (Long.bitCount(pageSize) != 1 || (capabilities.pageSizes() & pageSize) == 0) {
            throw new DeviceException(
                    Errno.EINVAL, "%s cannot record dirty pages of %d bytes".formatted(device, pageSize));
        }
    }

    private void requireAscending(long pageSize, List<IovaRange> ranges) throws DeviceException {
        if (ranges.size() > capabilities.maxRanges()) {
            throw new DeviceException(Errno.ENOSPC, "%s records dirty pages of %d ranges at most, not of %d"
                    .formatted(device, capabilities.maxRanges(), ranges.size()));
        }
        long end = 0;
        for (IovaRange range : ranges) {
            if (range.iova() < end || !isAligned(range, pageSize)) {
                throw new DeviceException(Errno.EINVAL,
                        "ranges must ascend and be aligned to pages of %d bytes: %s".formatted(pageSize, range));
            }
            end = range.end();
        }
        if (ranges.isEmpty()) {
            throw new DeviceException(Errno.EINVAL, "there is no range to record dirty pages of");
        }
    }

    private static boolean isAligned(IovaRange range, long pageSize) {
        return ((range.iova() | range.length()) & pageSize - 1) == 0;
    }

    @Override
    public synchronized void reportAndClear(IovaRange range, ByteBuffer bitmap) throws DeviceException {
        requireRecorded(range, bitmap);
        long mostBytes = mostPages * recordedPageSize;
        int at = bitmap.position();
        for (long done = 0; done < range.length(); done += mostBytes) {
            IovaRange part = new IovaRange(range.iova() + done, Math.min(mostBytes, range.length() - done));
            at += reportPart(part, bitmap.duplicate().order(ByteOrder.LITTLE_ENDIAN), at);
        }
    }

    private void requireRecorded(IovaRange range, ByteBuffer bitmap) throws DeviceException {
        if (!isRecording()) {
            throw new DeviceException(Errno.EINVAL, device + " does not record dirty pages");
        }
        boolean inside = recorded.stream().anyMatch(one -> one.iova() <= range.iova() && range.end() <= one.end());
        if (!inside || !isAligned(range, recordedPageSize) || bitmap.remaining() < bytesFor(range)) {
            throw new DeviceException(Errno.EINVAL,
                    "%s cannot report dirty pages of %s: not recorded, not aligned, or the bitmap is too small"
                            .formatted(device, range));
        }
    }

    private long bytesFor(IovaRange range) {
        long pages = range.length() / recordedPageSize;
        return (pages + PAGES_PER_WORD - 1) / PAGES_PER_WORD * Long.BYTES;
    }

    /** The kernel wants memory of its own, and may set bits behind the part; those that the caller has are to stay. */
    private int reportPart(IovaRange part, ByteBuffer bitmap, int at) throws DeviceException {
        int bytes = (int) bytesFor(part);
        try (Arena arena = Arena.ofConfined()) {
            long pages = part.length() / recordedPageSize;
            MemorySegment words = KernelBitmap.allocate(arena, pages, hostPageSize);
            reportOrRestart(part, words);
            for (int word = 0; word < bytes; word += Long.BYTES) {
                long wanted = DirtyLog.bits(pages - (long) word * Byte.SIZE);
                long written = words.get(ValueLayout.JAVA_LONG, word) & wanted;
                if (written != 0) {
                    bitmap.putLong(at + word, bitmap.getLong(at + word) | written);
                }
            }
        }
        return bytes;
    }

    private void reportOrRestart(IovaRange part, MemorySegment words) throws DeviceException {
        try {
            log.report(part, recordedPageSize, words);
        } catch (DeviceException e) {
            restart(e);
            throw new DeviceException(
                    Errno.EOVERFLOW, "the record of pages that %s wrote was lost; it was begun anew"
                            .formatted(device), e);
        }
    }

    /** Whatever the errno was of what failed: EOVERFLOW would tell the caller that recording goes on. */
    private void restart(DeviceException first) throws DeviceException {
        try {
            log.restart(recordedPageSize, recorded);
        } catch (DeviceException e) {
            recorded = List.of();
            first.addSuppressed(e);
            throw new DeviceException(Errno.EIO,
                    "the record of pages that %s wrote was lost, and could not be begun anew: %s"
                            .formatted(device, KernelException.reason(e)), first);
        }
    }

    @Override
    public synchronized void stop() throws DeviceException {
        recorded = List.of();
        endInKernel();
    }

    private void endInKernel() throws DeviceException {
        if (begun) {
            log.end();
            begun = false;
        }
    }
}
