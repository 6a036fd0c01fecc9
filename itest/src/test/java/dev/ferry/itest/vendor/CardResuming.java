// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.vendor;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;

/** Collects the text of a card. */
final class CardResuming implements ResumingSession {
    private final ByteArrayOutputStream received = new ByteArrayOutputStream();
    private boolean dead;

    String received() {
        return received.toString(StandardCharsets.UTF_8);
    }

    void end() {
        dead = true;
    }

    @Override
    public int write(ByteBuffer from) throws DeviceException {
        if (dead) {
            throw new DeviceException(Errno.ENODEV, "the session has ended");
        }
        byte[] bytes = new byte[from.remaining()];
        from.get(bytes);
        received.writeBytes(bytes);
        return bytes.length;
    }

    @Override
    public boolean isOpen() {
        return !dead;
    }

    @Override
    public void close() {
        // Holds nothing.
    }
}
