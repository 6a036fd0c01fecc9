// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker.Capabilities;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.KernelBitmap;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.Header;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.LoggingControl;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.LoggingRange;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.LoggingReport;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * The device itself logs where it writes: {@code VFIO_DEVICE_FEATURE_DMA_LOGGING_*} of {@code linux/vfio.h}. The most
 * exact way; the log may be asked for in other pages than it is kept in.
 */
final class DmaLogging implements DirtyLog {
    /** One page of the kernel's holds this many ranges, which it takes whatever the device. */
    static final int GUARANTEED_RANGES = 256;

    private static final int LEAST_PAGE_SHIFT = 12;
    private static final int MOST_PAGE_SHIFT = 30;
    /** Pages of one report. */
    static final long MOST_PAGES = 32L << 20;

    private static final String START = "VFIO_DEVICE_FEATURE SET DMA_LOGGING_START";
    private static final String REPORT = "VFIO_DEVICE_FEATURE GET DMA_LOGGING_REPORT";

    private final VfioDevice device;

    DmaLogging(VfioDevice device) {
        this.device = device;
    }

    /** What a tracker on it can do. */
    static Capabilities capabilities(String mechanism) {
        return new Capabilities(mechanism, pageSizes(), GUARANTEED_RANGES, true);
    }

    private static long pageSizes() {
        return (1L << MOST_PAGE_SHIFT + 1) - (1L << LEAST_PAGE_SHIFT);
    }

    /**
     * Logs one page for a moment: some kernels offer what they then refuse, those without iommufd among them, and that
     * is better known now than in a migration. Whoever lent the device and logs already keeps his record: the kernel
     * refuses a second one, and it is not ended for that.
     *
     * <p>A device may keep no log of so little: then {@code mlx5_vfio_pci} gives EOPNOTSUPP. That nothing is logged is
     * known by that, so that a report takes no mark from anybody, and gives EINVAL where the kernel can make one.
     */
    void tryOut(long pageSize) throws DeviceException {
        IovaRange page = new IovaRange(0, pageSize);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bitmap = KernelBitmap.allocate(arena, 1, pageSize);
            int begun = request(pageSize, List.of(page));
            if (begun == -LinuxErrno.EOPNOTSUPP) {
                int told = requestReport(page, pageSize, bitmap);
                device.require(told == -LinuxErrno.EINVAL ? 0 : told, REPORT);
            } else {
                device.require(begun, START);
                reportAndEnd(page, pageSize, bitmap);
            }
        }
    }

    private void reportAndEnd(IovaRange page, long pageSize, MemorySegment bitmap) throws DeviceException {
        try {
            report(page, pageSize, bitmap);
        } catch (DeviceException e) {
            endAfter(e);
            throw e;
        }
        endTrial();
    }

    private void endTrial() throws DeviceException {
        try {
            end();
        } catch (DeviceException e) {
            endAfter(e);
            throw e;
        }
    }

    /** Whatever failed, the end above all: the kernel is not to record for nobody. */
    private void endAfter(DeviceException first) {
        try {
            end();
        } catch (DeviceException e) {
            first.addSuppressed(e);
        }
    }

    /** A device may keep fewer ranges than the kernel takes: neighbours are joined until they are few enough. */
    @Override
    public void begin(long pageSize, List<IovaRange> ranges) throws DeviceException {
        int result = request(pageSize, ranges);
        if (isTooMany(result) && ranges.size() > 1) {
            result = request(pageSize, JoinedRanges.atMost(most(pageSize, ranges), ranges));
        }
        device.require(result, START);
    }

    private static boolean isTooMany(int result) {
        return result == -LinuxErrno.E2BIG || result == -LinuxErrno.ENOSPC;
    }

    /** As many as the device keeps, of more than that: found by logs that are ended again. */
    private int most(long pageSize, List<IovaRange> ranges) throws DeviceException {
        int kept = 1;
        int refused = ranges.size();
        while (refused - kept > 1) {
            int tried = (kept + refused) / 2;
            int result = request(pageSize, JoinedRanges.atMost(tried, ranges));
            if (isTooMany(result)) {
                refused = tried;
            } else {
                device.require(result, START);
                endTrial();
                kept = tried;
            }
        }
        return kept;
    }

    private int request(long pageSize, List<IovaRange> ranges) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment list = arena.allocate((long) LoggingRange.BYTES * ranges.size(), Long.BYTES);
            for (int i = 0; i < ranges.size(); i++) {
                long at = (long) LoggingRange.BYTES * i;
                list.set(JAVA_LONG, at + LoggingRange.IOVA, ranges.get(i).iova());
                list.set(JAVA_LONG, at + LoggingRange.LENGTH, ranges.get(i).length());
            }
            MemorySegment argument = arena.allocate(Header.BYTES + LoggingControl.BYTES, Long.BYTES);
            argument.set(JAVA_LONG, Header.DATA + LoggingControl.PAGE_SIZE, pageSize);
            argument.set(JAVA_INT, Header.DATA + LoggingControl.NUM_RANGES, ranges.size());
            argument.set(ADDRESS, Header.DATA + LoggingControl.RANGES, list);
            return device.feature(DeviceFeature.DMA_LOGGING_START | DeviceFeature.SET, argument);
        }
    }

    @Override
    public void report(IovaRange range, long pageSize, MemorySegment bitmap) throws DeviceException {
        device.require(requestReport(range, pageSize, bitmap), REPORT);
    }

    private int requestReport(IovaRange range, long pageSize, MemorySegment bitmap) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(Header.BYTES + LoggingReport.BYTES, Long.BYTES);
            argument.set(JAVA_LONG, Header.DATA + LoggingReport.IOVA, range.iova());
            argument.set(JAVA_LONG, Header.DATA + LoggingReport.LENGTH, range.length());
            argument.set(JAVA_LONG, Header.DATA + LoggingReport.PAGE_SIZE, pageSize);
            argument.set(ADDRESS, Header.DATA + LoggingReport.BITMAP, bitmap);
            return device.feature(DeviceFeature.DMA_LOGGING_REPORT | DeviceFeature.GET, argument);
        }
    }

    @Override
    public void end() throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(Header.BYTES, Long.BYTES);
            device.require(device.feature(DeviceFeature.DMA_LOGGING_STOP | DeviceFeature.SET, argument),
                    "VFIO_DEVICE_FEATURE SET DMA_LOGGING_STOP");
        }
    }
}
