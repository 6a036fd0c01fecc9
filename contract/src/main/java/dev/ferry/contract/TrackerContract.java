// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.device.MigrationDriver;
import java.nio.ByteBuffer;
import java.util.List;

/** What every {@link DirtyTracker} does; checks of a driver without one do nothing. */
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
            if (driver.dirtyTracker().isPresent()) {
                DirtyTracker tracker = driver.dirtyTracker().get();
                long pageSize = Long.lowestOneBit(tracker.capabilities().pageSizes());
                body.run(tracker, pageSize, new IovaRange(0, PAGES * pageSize));
            }
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
        add("a dirty tracker refuses what does not fit its state", (tracker, pageSize, pages) -> {
            ByteBuffer bitmap = ByteBuffer.allocate(PAGES / Byte.SIZE);
            Demand.refused(() -> tracker.reportAndClear(pages, bitmap), Errno.EINVAL);
            tracker.start(pageSize, List.of(pages));
            Demand.refused(() -> tracker.start(pageSize, List.of(pages)), Errno.EBUSY);
            tracker.stop();
            Demand.refused(() -> tracker.start(pageSize, List.of(new IovaRange(1, pageSize))), Errno.EINVAL);
            Demand.refused(() -> tracker.start(pageSize, List.of(pages, pages)), Errno.EINVAL, Errno.ENOSPC);
        });
    }
}
