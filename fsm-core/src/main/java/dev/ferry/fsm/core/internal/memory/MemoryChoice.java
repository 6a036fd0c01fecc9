// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;

/**
 * How the memory of a guest is carried: in rounds while it runs, where everybody who writes it can be tracked, else as
 * a whole while it is paused. Immutable.
 *
 * @param ranges of the guest's memory
 * @param trackers that are to be used; empty when the memory is not tracked
 * @param pageBytes size of a page in the bitmap; 0 when the memory is not tracked
 * @param explanation one sentence: the choice, the reason, and what it costs
 */
public record MemoryChoice(List<IovaRange> ranges, List<Tracker> trackers, long pageBytes, String explanation) {

    private static final String TRACKED = "The guest's memory of %d bytes is carried while it runs, and written pages "
            + "of %d bytes again: %s; the record takes %d bytes.";
    private static final String UNTRACKED = "All %d bytes of the guest's memory are carried while it is paused: %s.";

    /** A sentence stays one that is read. */
    private static final int MOST_NAMES = 4;

    /** Copies the lists. */
    public MemoryChoice {
        ranges = List.copyOf(ranges);
        trackers = List.copyOf(trackers);
    }

    /**
     * Chooses for a guest and all its devices.
     *
     * @param bitmapLimit most memory that the bitmap may take, in bytes
     */
    public static MemoryChoice of(GuestCalls guest, List<Device> devices, boolean preCopy, long bitmapLimit)
            throws MigrationException {
        List<IovaRange> ranges = guest.ranges();
        if (!preCopy) {
            return untracked(ranges, "the request is without pre-copy");
        }
        Optional<Tracker> processors = Tracker.of(guest);
        if (processors.isEmpty()) {
            return untracked(ranges, "its hypervisor cannot tell which pages its processors write");
        }
        List<Tracker> trackers = new ArrayList<>(List.of(processors.get()));
        List<String> silent = new ArrayList<>();
        for (Device device : devices) {
            Optional<DirtyTracker> tracker = device.machine().dirtyTracker();
            if (tracker.isPresent()) {
                trackers.add(Tracker.of(device.calls(), tracker.get()));
            } else {
                silent.add(device.id());
            }
        }
        if (!silent.isEmpty()) {
            return untracked(ranges, few(silent) + " cannot tell which pages it writes, so each one counts as written");
        }
        return tracked(ranges, trackers, bitmapLimit);
    }

    private static MemoryChoice tracked(List<IovaRange> ranges, List<Tracker> trackers, long bitmapLimit) {
        long pageBytes = Math.max(
                Tracker.USUAL_PAGE_BYTES,
                trackers.stream().mapToLong(Tracker::pageBytes).min().orElseThrow());
        if (shareAPage(ranges, pageBytes)) {
            return untracked(ranges, "two of its ranges share a page of " + pageBytes + " bytes");
        }
        long bitmapBytes = DirtyBitmap.bytesFor(ranges, pageBytes);
        if (bitmapBytes > bitmapLimit) {
            return untracked(
                    ranges,
                    "the record of written pages would take " + bitmapBytes + " bytes of the " + bitmapLimit
                            + " allowed; raise bitmap.mib");
        }
        return new MemoryChoice(
                ranges,
                trackers,
                pageBytes,
                TRACKED.formatted(total(ranges), pageBytes, ways(trackers), bitmapBytes));
    }

    /** Those who are tracked in the same way together. */
    private static String ways(List<Tracker> trackers) {
        Map<String, List<String>> names = new LinkedHashMap<>();
        for (Tracker tracker : trackers) {
            String way = tracker.capabilities().mechanism()
                    + (tracker.capabilities().exact() ? "" : " (not exact: pages may be carried again needlessly)");
            names.computeIfAbsent(way, any -> new ArrayList<>()).add(tracker.name());
        }
        return names.entrySet().stream()
                .map(way -> few(way.getValue()) + " by " + way.getKey())
                .collect(Collectors.joining("; "));
    }

    private static String few(List<String> names) {
        if (names.size() <= MOST_NAMES) {
            return String.join(", ", names);
        }
        return String.join(", ", names.subList(0, MOST_NAMES)) + " and " + (names.size() - MOST_NAMES) + " more";
    }

    private static MemoryChoice untracked(List<IovaRange> ranges, String why) {
        return new MemoryChoice(ranges, List.of(), 0, UNTRACKED.formatted(total(ranges), why));
    }

    private static boolean shareAPage(List<IovaRange> ranges, long pageBytes) {
        for (int i = 1; i < ranges.size(); i++) {
            if ((ranges.get(i - 1).end() - 1) / pageBytes == ranges.get(i).iova() / pageBytes) {
                return true;
            }
        }
        return false;
    }

    private static long total(List<IovaRange> ranges) {
        return ranges.stream().mapToLong(IovaRange::length).sum();
    }

    /** How much memory there is. */
    public long totalBytes() {
        return total(ranges);
    }

    /** Whether it is carried while the guest runs. */
    public boolean isTracked() {
        return !trackers.isEmpty();
    }

    /** Memory that the bitmap takes. */
    public long bitmapBytes() {
        return isTracked() ? DirtyBitmap.bytesFor(ranges, pageBytes) : 0;
    }
}
