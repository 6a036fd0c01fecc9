// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import dev.ferry.migration.Guest;
import dev.ferry.migration.GuestMemory;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * A guest of which nothing is there but its record of written pages.
 *
 * @param ranges of its memory
 * @param tracker of its writes
 */
record RecordedGuest(List<IovaRange> ranges, DirtyTracker tracker) implements Guest, GuestMemory {

    @Override
    public GuestMemory memory() {
        return this;
    }

    @Override
    public Optional<DirtyTracker> dirtyTracker() {
        return Optional.of(tracker);
    }

    @Override
    public void pause() {
        // Nothing runs.
    }

    @Override
    public void resume() {
        // Nothing runs.
    }

    @Override
    public void read(long address, ByteBuffer into) {
        throw new UnsupportedOperationException();
    }

    @Override
    public void write(long address, ByteBuffer from) {
        throw new UnsupportedOperationException();
    }

    @Override
    public ByteBuffer saveDeviceConfig(String deviceId) {
        return ByteBuffer.allocate(0);
    }

    @Override
    public void loadDeviceConfig(String deviceId, ByteBuffer config) {
        // There is none.
    }
}
