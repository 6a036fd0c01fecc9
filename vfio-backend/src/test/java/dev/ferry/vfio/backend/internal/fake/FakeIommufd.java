// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.util.HashMap;
import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/**
 * iommufd: devices that are bound to it are 41 and up, address spaces and page tables 7 and up. What it does not know
 * in flags and reserved fields it refuses with EOPNOTSUPP.
 */
final class FakeIommufd extends FakeFile {
    private final FakeHost host;
    private final Map<Integer, FakeDevice> devices = new HashMap<>();
    private final Set<Integer> spaces = new HashSet<>();
    /** Page tables that track dirty pages. */
    private final Set<Integer> pageTables = new HashSet<>();
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
        return spaces.contains(id) || pageTables.contains(id);
    }

    /** As a VMM makes one for a device that it then hands over. */
    int makeTrackingPageTable() {
        pageTables.add(nextObject);
        return nextObject++;
    }

    @Override
    int ioctl(int request, MemorySegment argument) {
        FakeKernel kernel = host.kernel;
        return switch (request) {
            case 0x3B81 -> kernel.answer(Request.IOAS_ALLOC, () -> sized(argument, 12, () -> allocate(argument)));
            case 0x3B8B -> sized(argument, 16, () -> setTracking(argument));
            case 0x3B8C -> kernel.answer(Request.GET_DIRTY_BITMAP, () -> sized(argument, 48, () -> bitmap(argument)));
            default -> -ENOTTY;
        };
    }

    private int allocate(MemorySegment argument) {
        if (argument.get(JAVA_INT, 4) != 0) {
            return -EOPNOTSUPP;
        }
        spaces.add(nextObject);
        argument.set(JAVA_INT, 8, nextObject++);
        return 0;
    }

    private int setTracking(MemorySegment argument) {
        int flags = argument.get(JAVA_INT, 4);
        if ((flags & ~1) != 0 || argument.get(JAVA_INT, 12) != 0) {
            return -EOPNOTSUPP;
        }
        int id = argument.get(JAVA_INT, 8);
        if (!pageTables.contains(id)) {
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
        if (argument.get(JAVA_INT, 8) != 0 || argument.get(JAVA_INT, 12) != 0) {
            return -EOPNOTSUPP;
        }
        int id = argument.get(JAVA_INT, 4);
        if (!pageTables.contains(id)) {
            return -ENOENT;
        }
        long iova = argument.get(JAVA_LONG, 16);
        long length = argument.get(JAVA_LONG, 24);
        long pageSize = argument.get(JAVA_LONG, 32);
        if (length < 0 || iova + length < 0) {
            return -EOVERFLOW;
        }
        if (Long.bitCount(pageSize) != 1 || pageSize < Mappings.PAGE || length == 0 || (iova | length) % pageSize != 0
                || !recorders.containsKey(id) || !host.isRecording(recorders.get(id))) {
            return -EINVAL;
        }
        if (argument.get(JAVA_LONG, 40) == 0) {
            return -EFAULT;
        }
        long known = host.mappings.mappedFrom(iova, length);
        FakeDmaLog.mark(host.dirty, iova, known, pageSize, argument.get(JAVA_LONG, 40));
        return known == length ? 0 : -EINVAL; // the marks of what lies before a hole are gone by then
    }

    @Override
    void close() {
        recorders.values().forEach(host::forget);
    }
}
