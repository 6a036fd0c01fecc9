// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.emulator.guest.GuestRam;
import dev.ferry.migration.Guest;
import dev.ferry.migration.GuestMemory;
import java.nio.ByteBuffer;

/**
 * A guest that does nothing.
 *
 * @param memory all of it is there, and was touched
 */
record IdleGuest(GuestMemory memory) implements Guest {

    /** With so many bytes of memory. */
    static IdleGuest of(int bytes) {
        ByteBuffer memory = ByteBuffer.allocateDirect(bytes);
        for (int at = 0; at < bytes; at += Long.BYTES) {
            memory.putLong(at, at);
        }
        return new IdleGuest(new GuestRam(GuestRam.DEFAULT_BASE, memory));
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
    public ByteBuffer saveDeviceConfig(String deviceId) {
        return ByteBuffer.allocate(0);
    }

    @Override
    public void loadDeviceConfig(String deviceId, ByteBuffer config) {
        // There is none.
    }
}
