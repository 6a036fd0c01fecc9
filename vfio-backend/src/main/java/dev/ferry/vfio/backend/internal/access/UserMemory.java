// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DeviceMemory;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.device.KernelException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The memory that one user has mapped for one device; all of it goes when this is closed. Thread-safe; one mapping is
 * made or ended at a time.
 */
public final class UserMemory implements DeviceMemory, AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(UserMemory.class);

    /** Of 2 GiB each: more memory than a host has. */
    static final int MOST_MAPPINGS = 4096;

    private final OwnMemory memory;
    private final String device;
    private final Set<Mapped> mappings = new HashSet<>();
    private boolean closed;

    UserMemory(OwnMemory memory, String device) {
        this.memory = memory;
        this.device = device;
    }

    /** One mapping, by its identity. */
    private final class Mapped implements Mapping {
        private final IovaRange range;

        Mapped(IovaRange range) {
            this.range = range;
        }

        @Override
        public IovaRange range() {
            return range;
        }

        @Override
        public void close() throws DeviceException {
            synchronized (UserMemory.this) {
                if (mappings.contains(this)) {
                    memory.unmap(range);
                    mappings.remove(this);
                }
            }
        }
    }

    @Override
    public synchronized Mapping map(long iova, ByteBuffer buffer) throws DeviceException {
        if (closed) {
            throw new DeviceException(Errno.ENODEV, device + " has left, or its memory was given back");
        }
        if (mappings.size() == MOST_MAPPINGS) {
            throw new DeviceException(Errno.ENOSPC, "%s has %d mappings already: close some, or map larger pieces"
                    .formatted(device, MOST_MAPPINGS));
        }
        Mapped mapped = new Mapped(range(iova, buffer));
        map(mapped.range, bytes(buffer));
        mappings.add(mapped);
        return mapped;
    }

    private void map(IovaRange range, MemorySegment bytes) throws DeviceException {
        try {
            memory.map(range, bytes);
        } catch (DeviceException e) {
            throw new DeviceException(e.errno(), "%s cannot reach %d bytes at 0x%x: %s"
                    .formatted(device, range.length(), range.iova(), e.getMessage()), e);
        }
    }

    private IovaRange range(long iova, ByteBuffer buffer) throws DeviceException {
        long length = buffer.remaining();
        if (length == 0 || iova < 0 || iova + length < 0 || !isAligned(iova | length)) {
            throw new DeviceException(Errno.EINVAL, "%s: 0x%x and %d bytes cannot be mapped: both must be multiples of "
                    .formatted(device, iova, length) + memory.pageSize() + ", the host's page size, the address 0 or "
                    + "more, the length more than 0, and their sum below 2^63");
        }
        return new IovaRange(iova, length);
    }

    private boolean isAligned(long number) {
        return (number & memory.pageSize() - 1) == 0;
    }

    private MemorySegment bytes(ByteBuffer buffer) throws DeviceException {
        if (!buffer.isDirect()) {
            throw new DeviceException(
                    Errno.EINVAL, device + " cannot reach the heap: map a file or a direct buffer");
        }
        MemorySegment bytes = MemorySegment.ofBuffer(buffer);
        if (!bytes.scope().isAlive()) {
            throw new DeviceException(Errno.EINVAL,
                    device + " cannot reach a buffer whose arena is closed: close the arena behind the mapping");
        }
        if (!isAligned(bytes.address())) {
            throw new DeviceException(Errno.EINVAL, "%s: the buffer does not begin at a page of %d bytes: allocate one "
                    .formatted(device, memory.pageSize()) + "page more and take its alignedSlice, or map a file");
        }
        return bytes;
    }

    /**
     * Ends all mappings, whatever happens to one. What the kernel refuses stays until nobody has a device of the group
     * open any more.
     */
    @Override
    public synchronized void close() {
        closed = true;
        List<DeviceException> refused = new ArrayList<>();
        try {
            endAll(refused);
        } finally {
            if (!refused.isEmpty()) {
                LOG.warn("{} mappings of memory stay for {} until its IOMMU group is closed; the first one: {}",
                        refused.size(), device, KernelException.reason(refused.get(0)));
            }
        }
    }

    private void endAll(List<DeviceException> refused) {
        Throwable unexpected = null;
        for (Mapped mapping : Set.copyOf(mappings)) {
            try {
                mapping.close();
            } catch (DeviceException e) {
                refused.add(e);
            } catch (RuntimeException | Error e) {
                unexpected = unexpected == null ? e : unexpected;
            }
        }
        if (unexpected instanceof Error e) {
            throw e;
        }
        if (unexpected instanceof RuntimeException e) {
            throw e;
        }
    }
}
