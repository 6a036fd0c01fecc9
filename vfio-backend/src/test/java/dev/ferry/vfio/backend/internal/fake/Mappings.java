// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import java.util.HashSet;
import java.util.Map;
import java.util.Set;

/** Memory of the process that devices may reach, by the address at which they see it. Pages have 4096 bytes. */
final class Mappings {
    static final long PAGE = 4096;

    private final Map<Long, FakeHost.Mapping> mapped;
    private final Set<Long> own = new HashSet<>();
    /** The IOMMU may have one mark for many pages. */
    boolean hugePages = true;

    /** A space among whose mappings are those of a VMM, which stay when it is closed. */
    Mappings(Map<Long, FakeHost.Mapping> mapped) {
        this.mapped = mapped;
    }

    int map(long iova, FakeHost.Mapping mapping) {
        if (mapping.address() == 0) {
            return -FakeFile.EFAULT;
        }
        long size = mapping.size();
        if (size <= 0 || (iova | size | mapping.address()) % PAGE != 0 || iova + size < 0) {
            return -FakeFile.EINVAL;
        }
        if (mapped.entrySet().stream().anyMatch(one -> overlap(one, iova, mapping.size()))) {
            return -FakeFile.EEXIST;
        }
        mapped.put(iova, mapping);
        own.add(iova);
        return 0;
    }

    private static boolean overlap(Map.Entry<Long, FakeHost.Mapping> one, long iova, long size) {
        return one.getKey() < iova + size && iova < one.getKey() + one.getValue().size();
    }

    /** Whether a range begins or ends inside a mapping. */
    boolean cuts(long iova, long size) {
        return mapped.entrySet().stream().anyMatch(one -> overlap(one, iova, size)
                && (one.getKey() < iova || one.getKey() + one.getValue().size() > iova + size));
    }

    /** How many bytes from an address on are mapped without a hole, so many at most. */
    long mappedFrom(long iova, long most) {
        long at = iova;
        boolean further = true;
        while (further && at < iova + most) {
            long from = at;
            at = mapped.entrySet().stream()
                    .filter(one -> one.getKey() <= from)
                    .mapToLong(one -> one.getKey() + one.getValue().size())
                    .filter(end -> end > from)
                    .findFirst()
                    .orElse(from);
            further = at > from;
        }
        return Math.min(at - iova, most);
    }

    /** Takes away what lies in a range; the bytes of it. */
    long unmap(long iova, long size) {
        long before = bytes();
        mapped.keySet().removeIf(at -> at >= iova && at < iova + size);
        return before - bytes();
    }

    private long bytes() {
        return mapped.values().stream().mapToLong(FakeHost.Mapping::size).sum();
    }

    void close() {
        mapped.keySet().removeAll(own);
    }
}
