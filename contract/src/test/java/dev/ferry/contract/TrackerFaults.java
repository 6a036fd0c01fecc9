// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import java.nio.ByteBuffer;

/** Faults in dirty tracking. */
final class TrackerFaults {
    private final Faults faults;

    TrackerFaults(Faults faults) {
        this.faults = faults;
    }

    void add() {
        reports();
        startsAndStops();
    }

    private void reports() {
        faults.add("a report that moves the position", DirtyTracker.class, "reportAndClear", call -> {
            ByteBuffer bitmap = (ByteBuffer) call.arguments()[1];
            call.proceed();
            bitmap.position(bitmap.limit());
            return null;
        }, "a dirty tracker records, reports and stops",
                "a dirty tracker reports at the position of the bitmap alone");
        faults.add("a report that clears bits", DirtyTracker.class, "reportAndClear", call -> {
            ByteBuffer bitmap = (ByteBuffer) call.arguments()[1];
            for (int i = bitmap.position(); i < bitmap.limit(); i++) {
                bitmap.put(i, (byte) 0);
            }
            return call.proceed();
        }, "a dirty tracker keeps bits that were set");
        faults.add("a report at the beginning of the bitmap", DirtyTracker.class, "reportAndClear", call -> {
            ((ByteBuffer) call.arguments()[1]).put(0, (byte) 1);
            return call.proceed();
        }, "a dirty tracker reports at the position of the bitmap alone");
    }

    private void startsAndStops() {
        faults.add("a second start accepted", DirtyTracker.class, "start",
                call -> Faults.withErrno(call, Errno.EBUSY, null),
                "a dirty tracker refuses what does not fit its state");
        faults.add("a second start that ends the recording", DirtyTracker.class, "start", call -> {
            try {
                return call.proceed();
            } catch (DeviceException e) {
                if (e.errno() == Errno.EBUSY) {
                    ((DirtyTracker) call.target()).stop();
                }
                throw e;
            }
        }, "a dirty tracker refuses what does not fit its state");
        faults.add("a report without a start accepted", DirtyTracker.class, "reportAndClear",
                call -> Faults.withErrno(call, Errno.EINVAL, null),
                "a dirty tracker refuses what does not fit its state");
        faults.add("a stop that does not stop", DirtyTracker.class, "stop", call -> null,
                "a dirty tracker that was stopped, or refused, can begin again");
    }
}
