// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ferry.device.DeviceException;
import dev.ferry.vfio.backend.internal.access.IommufdSpace.PageTable;
import dev.ferry.vfio.backend.internal.access.IommufdSpace.Plain;
import dev.ferry.vfio.backend.internal.access.IommufdSpace.Tracking;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.Iommufd;
import dev.ferry.vfio.backend.internal.uapi.Iommufd.IoasAlloc;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.AttachPt;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.BindIommufd;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/**
 * The newer way: the device's own character device, bound to an iommufd and attached to an address space of it.
 *
 * <p>The kernel gives the devices of one IOMMU group to one iommufd only, and keeps them attached to one page table; so
 * they share both.
 */
final class CdevWay {
    private final SystemCalls calls;
    private final DeviceFiles files;
    private final SharedByGroup<Context> contexts = new SharedByGroup<>();

    /** An iommufd and the space that the devices of one group are attached to; its page table is the first one's. */
    private final class Context implements SharedByGroup.Shared {
        private final Descriptor iommufd;
        private final String name;
        private final int ioas;
        private IommufdSpace space;

        Context(Descriptor iommufd, String name, int ioas) {
            this.iommufd = iommufd;
            this.name = name;
            this.ioas = ioas;
        }

        synchronized IommufdSpace space(int device) throws DeviceException {
            if (space == null) {
                IommuFile file = new IommuFile(calls, iommufd, name);
                space = IommufdSpace.opened(file, ioas, TrackingPageTable.make(file, ioas, device), calls.pageSize());
            }
            return space;
        }

        @Override
        public void close() {
            iommufd.close();
        }
    }

    private record Attached(Descriptor device, IommufdSpace space) {}

    CdevWay(SystemCalls calls, DeviceFiles files) {
        this.calls = calls;
        this.files = files;
    }

    /**
     * Opens a device.
     *
     * @param group the number of its IOMMU group, or what else only its group has
     */
    OpenDevice open(String cdev, String group, String name, String why) throws DeviceException {
        SharedByGroup.Share<Context> share = contexts.join(group, () -> context(group));
        try {
            Attached attached = attached(cdev, share.get(), name);
            return new OpenDevice(
                    new VfioDevice(calls, attached.device, name),
                    Optional.of(attached.space),
                    "character device %s and iommufd (%s)".formatted(cdev, why),
                    share::close);
        } catch (Throwable e) {
            share.close();
            throw e;
        }
    }

    private Attached attached(String cdev, Context context, String name) throws DeviceException {
        Descriptor device = files.open(DeviceFiles.CDEVS + cdev);
        try {
            IommufdSpace space = context.space(bind(device, context.iommufd, name));
            attach(device, context.ioas, space.pageTable(), name);
            return new Attached(device, space);
        } catch (Throwable e) {
            device.close();
            throw e;
        }
    }

    private Context context(String group) throws DeviceException {
        Descriptor iommufd = files.open(DeviceFiles.IOMMUFD);
        try {
            String name = "the iommufd of group " + group;
            return new Context(iommufd, name, addressSpace(iommufd, name));
        } catch (Throwable e) {
            iommufd.close();
            throw e;
        }
    }

    private int addressSpace(Descriptor iommufd, String name) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(IoasAlloc.BYTES, Long.BYTES);
            argument.set(JAVA_INT, Iommufd.SIZE, IoasAlloc.BYTES);
            OpeningRequest.IOMMU_IOAS_ALLOC.make(calls, iommufd, argument, name);
            return argument.get(JAVA_INT, IoasAlloc.OUT_IOAS_ID);
        }
    }

    /** Gives the device's id in the iommufd. */
    private int bind(Descriptor device, Descriptor iommufd, String name) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(BindIommufd.BYTES, Long.BYTES);
            argument.set(JAVA_INT, BindIommufd.ARGSZ, BindIommufd.BYTES);
            OpeningRequest.VFIO_DEVICE_BIND_IOMMUFD.make(
                    calls, device, argument, BindIommufd.IOMMUFD, iommufd, name);
            return argument.get(JAVA_INT, BindIommufd.OUT_DEVID);
        }
    }

    /** To a page table, or to the space itself, for which the kernel makes one where the device has an IOMMU. */
    private void attach(Descriptor device, int ioas, PageTable pageTable, String name) throws DeviceException {
        int to = switch (pageTable) {
            case Tracking tracking -> tracking.id();
            case Plain plain -> ioas;
        };
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(AttachPt.BYTES, Long.BYTES);
            argument.set(JAVA_INT, AttachPt.ARGSZ, AttachPt.BYTES);
            argument.set(JAVA_INT, AttachPt.PT_ID, to);
            OpeningRequest.VFIO_DEVICE_ATTACH_IOMMUFD_PT.make(calls, device, argument, name);
        }
    }
}
