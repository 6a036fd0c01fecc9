// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.function.LongSupplier;

/**
 * The dirty tracker of a member whose driver may leave while it records: ends what it recorded then, and begins nothing
 * more. Departure comes on any thread and waits, within a bound, for a call that is under way; so does each call.
 */
final class DepartingTracker implements DirtyTracker {
    private final String deviceId;
    private final DirtyTracker tracker;
    private final LongSupplier timeoutNanos;
    private final Entry entry;

    /** From a start, also one that failed, to a stop that did not. Only inside. */
    private boolean mayRecord;

    private volatile boolean departed;

    @FunctionalInterface
    private interface Call {
        void run() throws DeviceException;
    }

    /**
     * A tracker that records nothing.
     *
     * @param timeoutNanos how long a call waits for another one that is under way, asked each time
     */
    DepartingTracker(String deviceId, DirtyTracker tracker, LongSupplier timeoutNanos) {
        this.deviceId = deviceId;
        this.tracker = tracker;
        this.timeoutNanos = timeoutNanos;
        this.entry = new Entry(deviceId);
    }

    @Override
    public Capabilities capabilities() {
        return tracker.capabilities();
    }

    @Override
    public void start(long pageSize, List<IovaRange> ranges) throws DeviceException {
        alone(() -> {
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
        });
    }

    @Override
    public void reportAndClear(IovaRange range, ByteBuffer bitmap) throws DeviceException {
        alone(() -> {
            requirePresent();
            tracker.reportAndClear(range, bitmap);
        });
    }

    @Override
    public void stop() throws DeviceException {
        alone(() -> {
            if (mayRecord) {
                tracker.stop();
                mayRecord = false;
            }
        });
    }

    /**
     * The driver leaves. After an error the device may go on recording.
     *
     * @throws DeviceException EBUSY when the call that is under way did not end in time; otherwise as {@link #stop}
     */
    void depart() throws DeviceException {
        departed = true;
        stop();
    }

    private void alone(Call call) throws DeviceException {
        entry.enter(timeoutNanos.getAsLong());
        try {
            call.run();
        } finally {
            entry.leave();
        }
    }

    private void requirePresent() throws DeviceException {
        if (departed) {
            throw new DeviceException(Errno.ENODEV, deviceId + " is no longer served by its provider");
        }
    }
}
