// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static dev.ferry.vfio.backend.lab.RawRequests.expect;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.contract.Check;
import dev.ferry.device.DeviceMemory;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import dev.ferry.vfio.backend.internal.access.KernelBitmap;
import dev.ferry.vfio.backend.internal.access.UserMemory;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.Header;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.LoggingControl;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.LoggingRange;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.LoggingReport;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.List;

/** Dirty pages of the lab's own device, by the way that the kernel of a variant has: never none. */
final class DirtyPagesChecks {
    private static final int PAGE = 4096;
    private static final int PAGES = 1024;
    private static final int BITMAP_BYTES = PAGES / Byte.SIZE;
    private static final long IOVA = 0x10000000L;
    private static final int MOST_RANGES = 256;
    // Errors of Linux at which only these checks look.
    private static final int EOVERFLOW = 75;
    private static final int EOPNOTSUPP = 95;

    private final HostDevices devices;
    private final String name;
    private final KernelFlavor flavor;

    DirtyPagesChecks(HostDevices devices, String name, KernelFlavor flavor) {
        this.devices = devices;
        this.name = name;
        this.flavor = flavor;
    }

    List<Check> checks() {
        return List.of(
                answered(),
                flavor.hasDirtyBitmaps()
                        ? new Check("dirty pages: device DMA logging tells exactly those that the device wrote",
                                this::logged)
                        : new Check("dirty pages: the container tells what is pinned, and why it is asked is said",
                                this::pinned));
    }

    /** What any kernel with dirty bitmaps says, the fake one too. */
    Check answered() {
        return new Check("the kernel's answers to DMA logging", this::answers);
    }

    private DirtyTracker tracker(Driven driven) {
        System.out.println("      " + driven.dirtyTracking());
        flavor.demandTracking(driven);
        return driven.driver().dirtyTracker().orElseThrow();
    }

    private void logged() throws Exception {
        try (Driven driven = devices.open(name)) {
            DirtyTracker tracker = tracker(driven);
            SteeredDevice device = new SteeredDevice(driven.open().device());
            IovaRange range = new IovaRange(IOVA, (long) PAGES * PAGE);
            tracker.start(PAGE, List.of(range));
            // The first and the last page, their neighbours outside, and two pages by one write that begins within one.
            write(device, -1, 1);
            write(device, 0, 1);
            write(device, 5L * PAGE + 100, PAGE);
            write(device, (PAGES - 1L) * PAGE, 1);
            write(device, (long) PAGES * PAGE, 1);
            byte[] expected = new byte[BITMAP_BYTES];
            expected[0] = 0b0110_0001;
            expected[BITMAP_BYTES - 1] = (byte) 0x80;
            demandReport(tracker, range, expected);
            demandReport(tracker, range, new byte[BITMAP_BYTES]);
            tracker.stop();
        }
    }

    private static void write(SteeredDevice device, long at, int bytes) throws Exception {
        device.set(SteeredDevice.DMA_IOVA, IOVA + at);
        device.set(SteeredDevice.DMA_WRITE, bytes);
    }

    /** Nothing pins pages here, so that a report that succeeds tells none; one that is made up would tell all. */
    private void pinned() throws Exception {
        try (Driven driven = devices.open(name);
                UserMemory memory = driven.open().memory().orElseThrow().get()) {
            DirtyTracker tracker = tracker(driven);
            IovaRange range = new IovaRange(IOVA, (long) PAGES * PAGE);
            DeviceMemory.Mapping few = memory.map(IOVA, MappedPages.of(Byte.SIZE));
            memory.map(IOVA + few.range().length(), MappedPages.of(PAGES - Byte.SIZE));
            tracker.start(PAGE, List.of(range));
            demandReport(tracker, range, new byte[BITMAP_BYTES]);
            few.close();
            byte[] gone = new byte[BITMAP_BYTES];
            gone[0] = -1;
            demandReport(tracker, range, gone);
            demandReport(tracker, range, new byte[BITMAP_BYTES]);
            tracker.stop();
        }
    }

    private static void demandReport(DirtyTracker tracker, IovaRange range, byte[] expected) throws Exception {
        ByteBuffer bitmap = ByteBuffer.allocateDirect(BITMAP_BYTES);
        tracker.reportAndClear(range, bitmap);
        demand(bitmap.equals(ByteBuffer.wrap(expected)), "another bitmap than the %d bytes expected", expected.length);
    }

    private void answers() throws Exception {
        try (Driven driven = devices.open(name)) {
            VfioDevice device = driven.open().device();
            long end = -PAGE;
            expect("a start without ranges", start(device), LinuxErrno.EINVAL);
            expect("a start with too many ranges", start(device, new long[MOST_RANGES + 1][2]), LinuxErrno.E2BIG);
            expect("a range that begins within a page", start(device, new long[] {IOVA + 1, PAGE}), LinuxErrno.EINVAL);
            expect("a range that ends within a page", start(device, new long[] {IOVA, PAGE + 1}), LinuxErrno.EINVAL);
            expect("a range beyond all addresses", start(device, new long[] {end, 2 * PAGE}), EOVERFLOW);
            expect("ranges that overlap",
                    start(device, new long[] {IOVA, 2 * PAGE}, new long[] {IOVA + PAGE, PAGE}), LinuxErrno.EINVAL);
            expect("a start", start(device, new long[] {IOVA, PAGE}), 0);
            expect("a report of half pages", report(device, PAGE / 2), LinuxErrno.EINVAL);
            expect("a report", report(device, PAGE), flavor.hasDirtyBitmaps() ? 0 : EOPNOTSUPP);
            expect("a stop", new RawRequests(devices.calls(), device)
                    .feature(DeviceFeature.DMA_LOGGING_STOP | DeviceFeature.SET), 0);
        }
    }

    private static int start(VfioDevice device, long[]... ranges) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment array = arena.allocate((long) LoggingRange.BYTES * Math.max(1, ranges.length), Long.BYTES);
            for (int i = 0; i < ranges.length; i++) {
                array.set(JAVA_LONG, (long) i * LoggingRange.BYTES + LoggingRange.IOVA, ranges[i][0]);
                array.set(JAVA_LONG, (long) i * LoggingRange.BYTES + LoggingRange.LENGTH, ranges[i][1]);
            }
            MemorySegment argument = arena.allocate(Header.BYTES + LoggingControl.BYTES, Long.BYTES);
            argument.set(JAVA_LONG, Header.DATA + LoggingControl.PAGE_SIZE, PAGE);
            argument.set(JAVA_INT, Header.DATA + LoggingControl.NUM_RANGES, ranges.length);
            argument.set(ADDRESS, Header.DATA + LoggingControl.RANGES, array);
            return device.feature(DeviceFeature.DMA_LOGGING_START | DeviceFeature.SET, argument);
        }
    }

    private static int report(VfioDevice device, int pageBytes) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(Header.BYTES + LoggingReport.BYTES, Long.BYTES);
            argument.set(JAVA_LONG, Header.DATA + LoggingReport.IOVA, IOVA);
            argument.set(JAVA_LONG, Header.DATA + LoggingReport.LENGTH, PAGE);
            argument.set(JAVA_LONG, Header.DATA + LoggingReport.PAGE_SIZE, pageBytes);
            argument.set(ADDRESS, Header.DATA + LoggingReport.BITMAP, KernelBitmap.allocate(arena, 1, PAGE));
            return device.feature(DeviceFeature.DMA_LOGGING_REPORT | DeviceFeature.GET, argument);
        }
    }
}
