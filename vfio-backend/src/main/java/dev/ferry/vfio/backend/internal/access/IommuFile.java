// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.device.DeviceException;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.SameFile;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import java.lang.foreign.MemorySegment;

/**
 * The open file that requests on an address space are made on: a container, or an iommufd. Thread-safe.
 *
 * @param descriptor its opener's to close
 * @param name for messages
 */
record IommuFile(SystemCalls calls, Descriptor descriptor, String name) {

    /** One request: what the kernel gives, or the negated error number. */
    int ioctl(int request, MemorySegment argument) {
        return (int) descriptor.use(fd -> calls.ioctl(fd, request, argument));
    }

    /** One request that must not fail. */
    void request(int request, MemorySegment argument, String call) throws DeviceException {
        int result = ioctl(request, argument);
        if (result < 0) {
            throw new KernelException(name, call, -result);
        }
    }

    /** One file may be lent with each of its devices, and then has as many descriptors here. */
    SameFile isSameAs(IommuFile other) {
        return descriptor == other.descriptor ? SameFile.YES : descriptor.isSameFileAs(other.descriptor);
    }
}
