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

/** The newer way: the device's own character device, bound to an iommufd and attached to an address space of it. */
final class CdevWay {
    private final SystemCalls calls;
    private final DeviceFiles files;

    CdevWay(SystemCalls calls, DeviceFiles files) {
        this.calls = calls;
        this.files = files;
    }

    OpenDevice open(String cdev, String name, String why) throws DeviceException {
        Descriptor device = files.open(DeviceFiles.CDEVS + cdev);
        try {
            Descriptor iommufd = files.open(DeviceFiles.IOMMUFD);
            try {
                int id = bind(device, iommufd, name);
                IommufdSpace space = IommufdSpace.allocate(calls, iommufd, name);
                attach(device, space.pageTableFor(id), name);
                return new OpenDevice(
                        new VfioDevice(calls, device, name),
                        Optional.of(space),
                        "character device %s and iommufd (%s)".formatted(cdev, why),
                        iommufd::close);
            } catch (DeviceException e) {
                iommufd.close();
                throw e;
            }
        } catch (DeviceException e) {
            device.close();
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
            require(result, name, "VFIO_DEVICE_BIND_IOMMUFD");
            return argument.get(JAVA_INT, BindIommufd.OUT_DEVID);
        }
    }

    private void attach(Descriptor device, int pageTable, String name) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment argument = arena.allocate(AttachPt.BYTES, Long.BYTES);
            argument.set(JAVA_INT, AttachPt.ARGSZ, AttachPt.BYTES);
            argument.set(JAVA_INT, AttachPt.PT_ID, pageTable);
            require(device.use(fd -> calls.ioctl(fd, VfioIoctl.VFIO_DEVICE_ATTACH_IOMMUFD_PT, argument)),
                    name, "VFIO_DEVICE_ATTACH_IOMMUFD_PT");
        }
    }

    private static void require(long result, String name, String call) throws DeviceException {
        if (result < 0) {
            throw new KernelException(name, call, (int) -result);
        }
    }
}
