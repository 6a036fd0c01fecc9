// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.vfio.backend.internal.device.Region;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.handover.HandoverClient;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.DirtyBitmap;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.file.Path;

/** A device that this program has opened by a VMM's calls, not by our driver's, and lends to another program. */
final class LentDevice implements AutoCloseable {
    private static final long PAGE = 4096;

    private final SystemCalls calls;
    private final VmmDevice opened;
    private HandoverClient connection;

    LentDevice(HostDevices devices, String name, boolean byGroup) throws Exception {
        calls = devices.calls();
        opened = new VmmDevice(devices, name, byGroup);
    }

    String name() {
        return opened.name();
    }

    /** The device, for its owner; not to be closed. */
    VfioDevice device() {
        return opened.device();
    }

    /** Region 0 of it. */
    Region registers() throws Exception {
        return device().region(0);
    }

    /** Lends it on a connection of its own; gives the answer. */
    String lend(Path socket) {
        end();
        connection = new HandoverClient(calls, socket);
        return lendOn(connection, name());
    }

    /** Lends it on a connection, under this name; gives the answer. */
    String lendOn(HandoverClient other, String as) {
        return other.ask(offer(as), descriptors());
    }

    /** The words that lend it under this name. */
    String offer(String as) {
        return "ferry-vfio 1 lend " + as + (opened.isByGroup() ? " container" : " iommufd " + opened.pageTable());
    }

    /** What is lent: the device's descriptor, and that of the place its memory is mapped at. */
    int[] descriptors() {
        return opened.descriptors();
    }

    /** Has the kernel record dirty pages in the container of this program. */
    void record() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(DirtyBitmap.BYTES, Long.BYTES);
            argument.set(JAVA_INT, DirtyBitmap.ARGSZ, DirtyBitmap.BYTES);
            argument.set(JAVA_INT, DirtyBitmap.FLAGS, DirtyBitmap.VFIO_IOMMU_DIRTY_PAGES_FLAG_START);
            int begun = calls.ioctl(descriptors()[1], VfioIoctl.VFIO_IOMMU_DIRTY_PAGES, argument);
            demand(begun == 0, "%s: %d", name(), begun);
        }
    }

    /** Whether the kernel does so still; it refuses to tell of pages where it does not. */
    boolean isRecording() {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(DirtyBitmap.GET_BYTES, Long.BYTES);
            argument.set(JAVA_INT, DirtyBitmap.ARGSZ, DirtyBitmap.GET_BYTES);
            argument.set(JAVA_INT, DirtyBitmap.FLAGS, DirtyBitmap.VFIO_IOMMU_DIRTY_PAGES_FLAG_GET_BITMAP);
            argument.set(JAVA_LONG, DirtyBitmap.GET_SIZE, PAGE);
            argument.set(JAVA_LONG, DirtyBitmap.GET_PGSIZE, PAGE);
            argument.set(JAVA_LONG, DirtyBitmap.GET_BITMAP_SIZE, Long.BYTES);
            argument.set(ADDRESS, DirtyBitmap.GET_DATA, arena.allocate(JAVA_LONG));
            int told = calls.ioctl(descriptors()[1], VfioIoctl.VFIO_IOMMU_DIRTY_PAGES, argument);
            demand(told == 0 || told == -LinuxErrno.EINVAL, "%s: %d", name(), told);
            return told == 0;
        }
    }

    /** Wants it back; gives the answer, behind which nobody uses it. */
    String takeBack() {
        return connection.ask("ferry-vfio 1 return");
    }

    /** Ends the connection, as the end of this program would. */
    void end() {
        if (connection != null) {
            connection.close();
            connection = null;
        }
    }

    @Override
    public void close() {
        end();
        opened.close();
    }
}
