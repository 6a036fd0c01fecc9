// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.device.MigrationDriver;
import java.nio.ByteBuffer;
import java.util.List;

/** What every {@link DirtyTracker} does; for a driver that has one. */
final class TrackerContract {

    @FunctionalInterface
    interface Body {
        void run(MigrationDriver driver) throws Exception;
    }

    @FunctionalInterface
    interface Adder {
        void add(String name, Body body);
    }

    @FunctionalInterface
    private interface TrackerBody {
        void run(DirtyTracker tracker, long pageSize, IovaRange pages) throws Exception;
    }

    private static final int PAGES = 64;

    private final Adder adder;

    TrackerContract(Adder adder) {
        this.adder = adder;
    }

    private void add(String name, TrackerBody body) {
        adder.add(name, driver -> {
            Demand.that(driver.dirtyTracker().isPresent(),
                    "a driver with a dirty tracker has it for the life of its service");
            DirtyTracker tracker = driver.dirtyTracker().get();
            long pageSize = Long.lowestOneBit(tracker.capabilities().pageSizes());
            body.run(tracker, pageSize, new IovaRange(0, PAGES * pageSize));
        });
    }

    void checks() {
        add("a dirty tracker records, reports and stops", (tracker, pageSize, pages) -> {
            tracker.start(pageSize, List.of(pages));
            ByteBuffer bitmap = ByteBuffer.allocate(PAGES / Byte.SIZE);
            tracker.reportAndClear(pages, bitmap);
            Demand.that(bitmap.position() == 0 && bitmap.limit() == bitmap.capacity(), "position and limit stay");
            tracker.stop();
            tracker.stop();
        });
        add("a dirty tracker keeps bits that were set", (tracker, pageSize, pages) -> {
            tracker.start(pageSize, List.of(pages));
            ByteBuffer bitmap = ByteBuffer.allocate(PAGES / Byte.SIZE).put(3, (byte) 0x5A);
            tracker.reportAndClear(pages, bitmap);
            Demand.that((bitmap.get(3) & 0x5A) == 0x5A, "bits are only ever set");
            tracker.stop();
        });
        add("a dirty tracker reports at the position of the bitmap alone", (tracker, pageSize, pages) -> {
            int bytes = PAGES / Byte.SIZE;
            ByteBuffer bitmap = ByteBuffer.allocate(3 * bytes).position(bytes).limit(2 * bytes);
            tracker.start(pageSize, List.of(pages));
            tracker.reportAndClear(pages, bitmap);
            tracker.stop();
            Demand.that(bitmap.position() == bytes && bitmap.limit() == 2 * bytes, "position and limit stay");
            for (int i = 0; i < bytes; i++) {
                Demand.that(bitmap.array()[i] == 0 && bitmap.array()[2 * bytes + i] == 0, "bits outside of its room");
            }
        });
        add("a dirty tracker that was stopped, or refused, can begin again", (tracker, pageSize, pages) -> {
            tracker.start(pageSize, List.of(pages));
            tracker.stop();
            refusedStart(tracker, pageSize, List.of(new IovaRange(1, pageSize)), Errno.EINVAL);
            tracker.start(pageSize, List.of(pages));
            tracker.reportAndClear(pages, ByteBuffer.allocate(PAGES / Byte.SIZE));
            tracker.stop();
        });
        add("a dirty tracker refuses what does not fit its state", (tracker, pageSize, pages) -> {
            ByteBuffer bitmap = ByteBuffer.allocate(PAGES / Byte.SIZE);
            Demand.refused("a report before the start", () -> tracker.reportAndClear(pages, bitmap), Errno.EINVAL);
            tracker.start(pageSize, List.of(pages));
            refusedStart(tracker, pageSize, List.of(pages), Errno.EBUSY);
            // What was begun goes on.
            tracker.reportAndClear(pages, bitmap);
            tracker.stop();
            Demand.refused("a report behind the stop", () -> tracker.reportAndClear(pages, bitmap), Errno.EINVAL);
            refusedStart(tracker, pageSize, List.of(new IovaRange(1, pageSize)), Errno.EINVAL);
            refusedStart(tracker, pageSize, List.of(pages, pages), Errno.EINVAL, Errno.ENOSPC);
        });
    }

    private static void refusedStart(DirtyTracker tracker, long pageSize, List<IovaRange> ranges, Errno... errnos)
            throws Exception {
        Demand.refused("a start with " + ranges, () -> tracker.start(pageSize, ranges), errnos);
    }
}
