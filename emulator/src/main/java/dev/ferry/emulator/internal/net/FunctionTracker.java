// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * The writes of a function as its host asks for them. Thread-safe by the function's lock: nobody asks between the note
 * of a write and the write.
 */
final class FunctionTracker implements DirtyTracker {

    private final FunctionGate gate;
    private final DirtyTracker tracker;

    @FunctionalInterface
    private interface Call {
        void run() throws DeviceException;
    }

    FunctionTracker(FunctionGate gate, DirtyTracker tracker) {
        this.gate = gate;
        this.tracker = tracker;
    }

    @Override
    public Capabilities capabilities() {
        return tracker.capabilities();
    }

    @Override
    public void start(long pageSize, List<IovaRange> ranges) throws DeviceException {
        locked(() -> tracker.start(pageSize, ranges));
    }

    @Override
    public void reportAndClear(IovaRange range, ByteBuffer bitmap) throws DeviceException {
        locked(() -> tracker.reportAndClear(range, bitmap));
    }

    @Override
    public void stop() throws DeviceException {
        locked(tracker::stop);
    }

    private void locked(Call call) throws DeviceException {
        Optional<DeviceException> failure = gate.locked(() -> {
            try {
                call.run();
                return Optional.empty();
            } catch (DeviceException e) {
                return Optional.of(e);
            }
        });
        if (failure.isPresent()) {
            throw failure.get();
        }
    }
}
