// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.stream.RecordDecoder;
import java.io.IOException;
import java.nio.ByteBuffer;

/** Loads images into one member, each when its last byte has come. */
public final class ImageResumingSession extends ImageSession implements ResumingSession {

    private final RecordDecoder decoder;

    ImageResumingSession(DriverAccess driver, SessionDevice object, RecordDecoder decoder) {
        super(driver, object, "resuming");
        this.decoder = decoder;
    }

    /**
     * Checks that what was written is a whole state. Only within a step.
     *
     * @throws DeviceException EINVAL with what is missing
     */
    public void requireComplete() throws DeviceException {
        if (isDead()) {
            throw new DeviceException(
                    Errno.EINVAL,
                    "the state written to %s was refused; reset the device to leave RESUMING"
                            .formatted(driver.deviceId()));
        }
        try {
            decoder.requireComplete();
        } catch (DeviceException e) {
            throw new DeviceException(
                    Errno.EINVAL,
                    "the state written to %s is incomplete: %s".formatted(driver.deviceId(), e.getMessage()),
                    e);
        }
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        requireOpen();
        return driver.inGate(() -> {
            requireAlive();
            int count = from.remaining();
            boolean taken = false;
            try {
                decoder.write(from);
                taken = true;
            } finally {
                if (!taken) {
                    markDead();
                }
            }
            return count;
        });
    }
}
