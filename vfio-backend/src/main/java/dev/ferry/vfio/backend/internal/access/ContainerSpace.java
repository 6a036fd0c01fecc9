// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import dev.ferry.vfio.backend.internal.sys.SameFile;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.CapHeader;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.CapMigration;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.IommuInfo;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.Optional;

/** The addresses behind a container with a type 1 IOMMU. Thread-safe; its descriptor is another's to close. */
public final class ContainerSpace implements IommuSpace {
    /** The kernel's capability chain is some hundred bytes; a length beyond this is none. */
    private static final int MOST_INFO_BYTES = 1 << 20;
    /** The chain may grow between two requests, when another device joins; not time and again. */
    private static final int MOST_INFO_REQUESTS = 5;

    private final IommuFile container;
    private final Optional<OwnMemory> own;

    /**
     * What the container can say about dirty pages.
     *
     * @param pageSizes bit n set: 2^n bytes; the smallest is the one to ask for
     * @param mostBitmapBytes the longest bitmap of one request, in bytes
     */
    public record DirtyPages(long pageSizes, long mostBitmapBytes) {}

    private ContainerSpace(IommuFile container, Optional<OwnMemory> own) {
        this.container = container;
        this.own = own;
    }

    /** The space of a container that was opened here. */
    static ContainerSpace opened(SystemCalls calls, Descriptor container, String name) {
        IommuFile file = new IommuFile(calls, container, name);
        return new ContainerSpace(
                file, Optional.of(new OwnMemory(new ContainerMapping(file), calls.pageSize())));
    }

    /** The space of a container that another process has, too. */
    public static ContainerSpace lent(SystemCalls calls, Descriptor container, String name) {
        return new ContainerSpace(new IommuFile(calls, container, name), Optional.empty());
    }

    /** One request on the container: what the kernel gives, or the negated error number. */
    public int ioctl(int request, MemorySegment argument) {
        return container.ioctl(request, argument);
    }

    @Override
    public SameFile recordsWith(IommuSpace other) {
        return other instanceof ContainerSpace space ? container.isSameAs(space.container) : SameFile.NO;
    }

    @Override
    public Optional<OwnMemory> own() {
        return own;
    }

    @Override
    public boolean isClosed() {
        return container.descriptor().isClosed();
    }

    /**
     * Demands that this is a container, or an iommufd that takes the place of one.
     *
     * @throws DeviceException EINVAL
     */
    public void requireContainer() throws DeviceException {
        long version = container.descriptor().use(fd ->
                container.calls().ioctl(fd, VfioIoctl.VFIO_GET_API_VERSION, 0));
        if (version != VfioIoctl.VFIO_API_VERSION) {
            throw new DeviceException(Errno.EINVAL, "the second descriptor is of no VFIO container");
        }
    }

    /** What the container can say about dirty pages; empty when nothing. */
    public Optional<DirtyPages> dirtyPages() throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            int needed = IommuInfo.BYTES;
            for (int i = 0; i < MOST_INFO_REQUESTS; i++) {
                MemorySegment info = info(arena, needed);
                needed = info.get(JAVA_INT, IommuInfo.ARGSZ);
                if (needed <= info.byteSize()) {
                    return migrationCapability(info);
                }
                if (needed > MOST_INFO_BYTES) {
                    throw new DeviceException(Errno.EINVAL, "%s says it needs %d bytes to describe itself"
                            .formatted(container.name(), needed));
                }
            }
            throw new DeviceException(Errno.EAGAIN, "%s needs more bytes to describe itself each time it is asked"
                    .formatted(container.name()));
        }
    }

    private MemorySegment info(Arena arena, int bytes) throws DeviceException {
        MemorySegment info = arena.allocate(bytes, Long.BYTES);
        info.set(JAVA_INT, IommuInfo.ARGSZ, bytes);
        container.request(VfioIoctl.VFIO_IOMMU_GET_INFO, info, "VFIO_IOMMU_GET_INFO");
        return info;
    }

    /** Follows the chain forwards only, so that no chain is endless. */
    private static Optional<DirtyPages> migrationCapability(MemorySegment info) {
        if ((info.get(JAVA_INT, IommuInfo.FLAGS) & IommuInfo.VFIO_IOMMU_INFO_CAPS) == 0) {
            return Optional.empty();
        }
        int before = 0;
        int at = info.get(JAVA_INT, IommuInfo.CAP_OFFSET);
        while (at > before && at % Long.BYTES == 0 && at <= info.byteSize() - CapHeader.BYTES) {
            if (info.get(JAVA_SHORT, at + CapHeader.ID) == CapMigration.VFIO_IOMMU_TYPE1_INFO_CAP_MIGRATION
                    && info.get(JAVA_SHORT, at + CapHeader.VERSION) == CapMigration.VERSION
                    && at <= info.byteSize() - CapMigration.BYTES) {
                DirtyPages found = new DirtyPages(
                        info.get(JAVA_LONG, at + CapMigration.PGSIZE_BITMAP),
                        info.get(JAVA_LONG, at + CapMigration.MAX_DIRTY_BITMAP_SIZE));
                boolean usable = found.pageSizes() != 0 && found.mostBitmapBytes() >= Long.BYTES;
                return usable ? Optional.of(found) : Optional.empty();
            }
            before = at;
            at = info.get(JAVA_INT, at + CapHeader.NEXT);
        }
        return Optional.empty();
    }
}
