// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import java.nio.ByteBuffer;
import java.util.List;

/**
 * The dirty tracker of a member whose driver may leave while it records: ends what it recorded then, and begins nothing
 * more. Departure comes on any thread and waits for a call that is under way.
 */
final class DepartingTracker implements DirtyTracker {
    private final String deviceId;
    private final DirtyTracker tracker;

    /** From a start, also one that failed, to a stop that did not. */
    private boolean mayRecord;

    private boolean departed;

    DepartingTracker(String deviceId, DirtyTracker tracker) {
        this.deviceId = deviceId;
        this.tracker = tracker;
    }

    @Override
    public Capabilities capabilities() {
        return tracker.capabilities();
    }

    @Override
    public synchronized void start(long pageSize, List<IovaRange> ranges) throws DeviceException {
        requirePresent();
        boolean before = mayRecord;
        mayRecord = true;
        try {
            tracker.start(pageSize, ranges);
        } catch (DeviceException e) {
            // EBUSY is told of a recording that goes on, whoever's it is.
            mayRecord = e.errno() != Errno.EBUSY || before;
            throw e;
        }
    }

    @Override
    public synchronized void reportAndClear(IovaRange range, ByteBuffer bitmap) throws DeviceException {
        requirePresent();
        tracker.reportAndClear(range, bitmap);
    }

    @Override
    public synchronized void stop() throws DeviceException {
        if (mayRecord) {
            tracker.stop();
            mayRecord = false;
        }
    }

    /** The driver leaves. After an error the device may go on recording. */
    synchronized void depart() throws DeviceException {
        departed = true;
        stop();
    }

    private void requirePresent() throws DeviceException {
        if (departed) {
            throw new DeviceException(Errno.ENODEV, deviceId + " is no longer served by its provider");
        }
    }
}
