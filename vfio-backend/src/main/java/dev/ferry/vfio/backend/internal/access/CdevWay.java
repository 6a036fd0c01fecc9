// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import dev.ferry.device.DeviceException;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
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

    /** An iommufd and the space that the devices of one group are attached to. */
    private record Context(Descriptor iommufd, IommufdSpace space) implements SharedByGroup.Shared {
        @Override
        public void close() {
            iommufd.close();
        }
    }

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
            return new OpenDevice(
                    new VfioDevice(calls, attached(cdev, share.get(), name), name),
                    Optional.of(share.get().space),
                    "character device %s and iommufd (%s)".formatted(cdev, why),
                    share::close);
        } catch (DeviceException e) {
            share.close();
            throw e;
        }
    }

    private Descriptor attached(String cdev, Context context, String name) throws DeviceException {
        Descriptor device = files.open(DeviceFiles.CDEVS + cdev);
        try {
            int id = bind(device, context.iommufd, name);
            attach(device, context.space.pageTableFor(id), name);
            return device;
        } catch (DeviceException e) {
            device.close();
            throw e;
        }
    }

    private Context context(String group) throws DeviceException {
        Descriptor iommufd = files.open(DeviceFiles.IOMMUFD);
        try {
            return new Context(iommufd, IommufdSpace.allocate(calls, iommufd, "the iommufd of group " + group));
        } catch (DeviceException e) {
            iommufd.close();
            throw e;
        }
    }

    private int bind(Descriptor device, Descriptor iommufd, String name) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(BindIommufd.BYTES, Long.BYTES);
            argument.set(JAVA_INT, BindIommufd.ARGSZ, BindIommufd.BYTES);
            long result = iommufd.use(fd -> {
                argument.set(JAVA_INT, BindIommufd.IOMMUFD, fd);
                return device.use(open -> calls.ioctl(open, VfioIoctl.VFIO_DEVICE_BIND_IOMMUFD, argument));
            });
            require(result, name, VfioIoctl.VFIO_DEVICE_BIND_IOMMUFD, "VFIO_DEVICE_BIND_IOMMUFD");
            return argument.get(JAVA_INT, BindIommufd.OUT_DEVID);
        }
    }

    private void attach(Descriptor device, int pageTable, String name) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(AttachPt.BYTES, Long.BYTES);
            argument.set(JAVA_INT, AttachPt.ARGSZ, AttachPt.BYTES);
            argument.set(JAVA_INT, AttachPt.PT_ID, pageTable);
            require(device.use(fd -> calls.ioctl(fd, VfioIoctl.VFIO_DEVICE_ATTACH_IOMMUFD_PT, argument)),
                    name, VfioIoctl.VFIO_DEVICE_ATTACH_IOMMUFD_PT, "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
        }
    }

    private static void require(long result, String name, int request, String call) throws DeviceException {
        if (result < 0) {
            throw new KernelException(name, call, (int) -result, Advice.on(request, (int) -result));
        }
    }
}
