// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import java.util.Map;
import java.util.TreeMap;

/** What a VMM lets its devices reach: the size of each mapping, by its address. Pages have 4096 bytes. */
final class Mappings {
    static final long PAGE = 4096;

    private final Map<Long, Long> sizes = new TreeMap<>();

    void add(long iova, long size) {
        sizes.put(iova, size);
    }

    /** Whether a range begins or ends inside a mapping. */
    boolean cuts(long iova, long size) {
        return sizes.entrySet().stream().anyMatch(one -> {
            long from = one.getKey();
            long to = from + one.getValue();
            return from < iova + size && iova < to && (from < iova || to > iova + size);
        });
    }

    /** How many bytes from an address on are mapped without a hole, so many at most. */
    long mappedFrom(long iova, long most) {
        long at = iova;
        boolean further = true;
        while (further && at < iova + most) {
            long from = at;
            at = sizes.entrySet().stream()
                    .filter(one -> one.getKey() <= from)
                    .mapToLong(one -> one.getKey() + one.getValue())
                    .filter(end -> end > from)
                    .findFirst()
                    .orElse(from);
            further = at > from;
        }
        return Math.min(at - iova, most);
    }
}
