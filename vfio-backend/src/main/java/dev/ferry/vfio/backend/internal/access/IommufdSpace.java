// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.SameFile;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import java.lang.foreign.MemorySegment;

/** The addresses behind a page table of an iommufd. Thread-safe; its descriptor is another's to close. */
public final class IommufdSpace implements IommuSpace {
    private final IommuFile iommufd;
    private final int pageTable;

    private IommufdSpace(IommuFile iommufd, int pageTable) {
        this.iommufd = iommufd;
        this.pageTable = pageTable;
    }

    /** The space of a device that another process has attached, to a page table that can track dirty pages. */
    public static IommufdSpace ofPageTable(SystemCalls calls, Descriptor iommufd, String name, int pageTable) {
        return new IommufdSpace(new IommuFile(calls, iommufd, name), pageTable);
    }

    /** The id of the page table. */
    public int pageTable() {
        return pageTable;
    }

    /** One request on the iommufd: what the kernel gives, or the negated error number. */
    public int ioctl(int request, MemorySegment argument) {
        return iommufd.ioctl(request, argument);
    }

    @Override
    public SameFile recordsWith(IommuSpace other) {
        return other instanceof IommufdSpace space && pageTable == space.pageTable
                ? iommufd.isSameAs(space.iommufd)
                : SameFile.NO;
    }

    @Override
    public boolean isClosed() {
        return iommufd.descriptor().isClosed();
    }
}
