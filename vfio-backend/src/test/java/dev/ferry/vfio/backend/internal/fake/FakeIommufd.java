// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.Map;
import java.util.TreeSet;

/**
 * iommufd: devices that are bound to it are 41 and up, address spaces and page tables 7 and up. What it does not know
 * in flags and reserved fields it refuses with EOPNOTSUPP. A bitmap is told up to the first page that is not mapped,
 * and not at all when nobody records; that is no error, as in Linux 6.12 and 7.2.
 */
final class FakeIommufd extends FakeFile {
    private static final int READABLE_OR_WRITEABLE = 2 | 4;

    private final FakeHost host;
    private final Map<Integer, FakeDevice> devices = new HashMap<>();
    private final Map<Integer, Mappings> spaces = new HashMap<>();
    /** Page tables that track dirty pages, with what is mapped in their space. */
    private final Map<Integer, Mappings> pageTables = new HashMap<>();
    /** Page tables that do not track, by their address space. */
    private final Map<Integer, Integer> plainTables = new HashMap<>();
    /** Page tables that record are these. */
    private final Map<Integer, Object> recorders = new HashMap<>();
    private int nextObject = 7;

    FakeIommufd(FakeHost host) {
        this.host = host;
    }

    int bind(FakeDevice device) {
        int id = 41 + devices.size();
        devices.put(id, device);
        return id;
    }

    boolean hasPageTable(int id) {
        return spaces.containsKey(id) || pageTables.containsKey(id);
    }

    /** As a VMM makes one for a device that it then hands over. */
    int makeTrackingPageTable() {
        Mappings space = new Mappings(host.mapped);
        pageTables.put(nextObject, space);
        return nextObject++;
    }

    /** What a device that is attached to this has then: a page table where it is behind an IOMMU. */
    int attach(int id, boolean mediated) {
        return mediated || !spaces.containsKey(id) ? id : plainTables.computeIfAbsent(id, space -> nextObject++);
    }

    @Override
    int ioctl(int request, MemorySegment argument) {
        FakeKernel kernel = host.kernel;
        return switch (request) {
            case 0x3B81 -> kernel.answer(Request.IOAS_ALLOC, () -> sized(argument, 12, () -> allocate(argument)));
            case 0x3B85 -> kernel.answer(Request.IOAS_MAP, () -> sized(argument, 40, () -> map(argument)));
            case 0x3B86 -> kernel.answer(Request.IOAS_UNMAP, () -> sized(argument, 24, () -> unmap(argument)));
            case 0x3B87 -> kernel.answer(Request.OPTION, () -> sized(argument, 24, () -> option(argument)));
            case 0x3B89 -> kernel.answer(Request.HWPT_ALLOC, () -> sized(argument, 24, () -> pageTable(argument)));
            case 0x3B8B -> sized(argument, 16, () -> setTracking(argument));
            case 0x3B8C -> kernel.answer(Request.GET_DIRTY_BITMAP, () -> sized(argument, 48, () -> bitmap(argument)));
            default -> -ENOTTY;
        };
    }

    private int allocate(MemorySegment argument) {
        if (argument.get(JAVA_INT, 4) != 0) {
            return -EOPNOTSUPP;
        }
        spaces.put(nextObject, new Mappings(host.mapped));
        argument.set(JAVA_INT, 8, nextObject++);
        return 0;
    }

    private int pageTable(MemorySegment argument) {
        int flags = argument.get(JAVA_INT, 4);
        if (argument.get(JAVA_INT, 20) != 0) {
            return -EOPNOTSUPP;
        }
        FakeDevice device = devices.get(argument.get(JAVA_INT, 8));
        if (device == null || device.mediated) {
            return -ENOENT; // a mediated device is no object of this kind
        }
        Mappings space = spaces.get(argument.get(JAVA_INT, 12));
        if (space == null) {
            return -EINVAL;
        }
        if (flags != 2 || !host.iommuMarksPages) {
            return -EOPNOTSUPP;
        }
        pageTables.put(nextObject, space);
        argument.set(JAVA_INT, 16, nextObject++);
        return 0;
    }

    private int map(MemorySegment argument) {
        int flags = argument.get(JAVA_INT, 4);
        if ((flags & ~7) != 0 || argument.get(JAVA_INT, 12) != 0) {
            return -EOPNOTSUPP;
        }
        Mappings space = spaces.get(argument.get(JAVA_INT, 8));
        if (space == null) {
            return -ENOENT;
        }
        if ((flags & READABLE_OR_WRITEABLE) == 0) {
            return -EINVAL;
        }
        if ((flags & 1) == 0) {
            argument.set(JAVA_LONG, 32, 0x7FFF_0000L); // the kernel takes an address that it likes
        }
        return space.map(argument.get(JAVA_LONG, 32),
                new FakeHost.Mapping(argument.get(JAVA_LONG, 24), argument.get(JAVA_LONG, 16), flags));
    }

    private int unmap(MemorySegment argument) {
        Mappings space = spaces.get(argument.get(JAVA_INT, 4));
        long iova = argument.get(JAVA_LONG, 8);
        long length = argument.get(JAVA_LONG, 16);
        if (space == null || space.cuts(iova, length)) {
            return -ENOENT;
        }
        argument.set(JAVA_LONG, 16, space.unmap(iova, length));
        return argument.get(JAVA_LONG, 16) == 0 ? -ENOENT : 0;
    }

    /** Of options, that of huge pages can be set, while nothing is mapped. */
    private int option(MemorySegment argument) {
        if (argument.get(JAVA_INT, 4) != 1 || argument.get(JAVA_SHORT, 8) != 0 || argument.get(JAVA_SHORT, 10) != 0) {
            return -EOPNOTSUPP;
        }
        Mappings space = spaces.get(argument.get(JAVA_INT, 12));
        long value = argument.get(JAVA_LONG, 16);
        if (space == null) {
            return -ENOENT;
        }
        if ((value & ~1) != 0 || value == 0 && !host.mapped.isEmpty()) {
            return -EINVAL;
        }
        space.hugePages = value == 1;
        return 0;
    }

    private int setTracking(MemorySegment argument) {
        int flags = argument.get(JAVA_INT, 4);
        if ((flags & ~1) != 0 || argument.get(JAVA_INT, 12) != 0) {
            return -EOPNOTSUPP;
        }
        int id = argument.get(JAVA_INT, 8);
        if (!pageTables.containsKey(id)) {
            return -ENOENT;
        }
        Object recorder = recorders.computeIfAbsent(id, one -> new Object());
        return host.kernel.answer(flags == 1 ? Request.SET_DIRTY_TRACKING_ON : Request.SET_DIRTY_TRACKING_OFF,
                () -> enable(recorder, flags == 1));
    }

    /** Enabling clears the marks of the page table. */
    private int enable(Object recorder, boolean on) {
        if (on) {
            host.dirty.clear();
        }
        return host.track(recorder, on);
    }

    private int bitmap(MemorySegment argument) {
        int flags = argument.get(JAVA_INT, 8);
        if ((flags & ~1) != 0 || argument.get(JAVA_INT, 12) != 0) {
            return -EOPNOTSUPP;
        }
        int id = argument.get(JAVA_INT, 4);
        Mappings space = pageTables.get(id);
        if (space == null) {
            return plainTables.containsValue(id) ? -EOPNOTSUPP : -ENOENT;
        }
        long iova = argument.get(JAVA_LONG, 16);
        long length = argument.get(JAVA_LONG, 24);
        long pageSize = argument.get(JAVA_LONG, 32);
        if (length < 0 || iova + length < 0) {
            return -EOVERFLOW;
        }
        if (Long.bitCount(pageSize) != 1 || pageSize < Mappings.PAGE || length == 0
                || (iova | length) % pageSize != 0) {
            return -EINVAL;
        }
        if (argument.get(JAVA_LONG, 40) == 0) {
            return -EFAULT;
        }
        boolean records = recorders.containsKey(id) && host.isRecording(recorders.get(id));
        long known = records ? space.mappedFrom(iova, length) : 0;
        TreeSet<Long> marks = flags == 0 ? host.dirty : new TreeSet<>(host.dirty);
        FakeDmaLog.mark(marks, iova, known, pageSize, FakeDmaLog.pinnable(argument.get(JAVA_LONG, 40)),
                space.hugePages ? host.iommuPage : Mappings.PAGE);
        return 0;
    }

    @Override
    void close() {
        recorders.values().forEach(host::forget);
        spaces.values().forEach(Mappings::close);
    }
}
