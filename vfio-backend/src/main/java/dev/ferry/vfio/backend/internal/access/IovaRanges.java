// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.device.IovaRange;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** A set of addresses, kept as ranges that do not touch. Not thread-safe. */
final class IovaRanges {
    /** First addresses, and those behind the last. */
    private final TreeMap<Long, Long> ends = new TreeMap<>();

    /** Adds a range, which may be there in part. */
    void add(IovaRange range) {
        long start = range.iova();
        long end = range.end();
        Map.Entry<Long, Long> near = ends.floorEntry(end);
        while (near != null && near.getValue() >= start) {
            ends.remove(near.getKey());
            start = Math.min(start, near.getKey());
            end = Math.max(end, near.getValue());
            near = ends.floorEntry(end);
        }
        ends.put(start, end);
    }

    /** Takes a range out, which may be there in part. */
    void remove(IovaRange range) {
        Map.Entry<Long, Long> near = ends.lowerEntry(range.end());
        while (near != null && near.getValue() > range.iova()) {
            ends.remove(near.getKey());
            if (near.getKey() < range.iova()) {
                ends.put(near.getKey(), range.iova());
            }
            if (near.getValue() > range.end()) {
                ends.put(range.end(), near.getValue());
            }
            near = ends.lowerEntry(range.end());
        }
    }

    /** Those parts of a range that are there, ascending. */
    List<IovaRange> within(IovaRange range) {
        List<IovaRange> parts = new ArrayList<>();
        Map.Entry<Long, Long> next = ends.floorEntry(range.iova());
        next = next == null ? ends.ceilingEntry(range.iova()) : next;
        while (next != null && next.getKey() < range.end()) {
            long start = Math.max(next.getKey(), range.iova());
            long end = Math.min(next.getValue(), range.end());
            if (start < end) {
                parts.add(new IovaRange(start, end - start));
            }
            next = ends.higherEntry(next.getKey());
        }
        return parts;
    }

    void clear() {
        ends.clear();
    }
}
