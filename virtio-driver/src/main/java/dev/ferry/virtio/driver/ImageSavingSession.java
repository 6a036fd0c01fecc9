// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.device.SavingSession;
import dev.ferry.stream.RecordEncoder;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;

/**
 * The images of one member, as its stream format frames them.
 *
 * <p>In PRE_COPY a new image is captured when the reader has drained the last one and asks for {@link #precopyInfo},
 * once per second at most, because a virtio device gives no hint of what changed: dirty bytes never end, and the reader
 * decides when to stop the device. The order of questions and the answers are those of the kernel's driver.
 */
public final class ImageSavingSession extends ImageSession implements SavingSession {

    /** How often an image that does not fit is asked for, with twice the space each time. */
    static final int MOST_CAPTURES = 3;

    private final RecordEncoder encoder;
    private final PrecopyRateLimit limit;
    private long initialBytes;
    private volatile boolean complete;

    /** A session without data; {@link #captureInitial} or {@link #captureFinal} gives it the first image. */
    ImageSavingSession(DriverAccess driver, SessionDevice object, RecordEncoder encoder, PrecopyRateLimit limit) {
        super(driver, object, "saving");
        this.encoder = encoder;
        this.limit = limit;
    }

    /** Captures the image that a running device begins with. Only within a step. */
    public void captureInitial() throws DeviceException {
        initialBytes = capture();
    }

    /**
     * Captures the last image, behind what was not read yet. Only within a step.
     *
     * @throws DeviceException as the device gives it; the session is dead then
     */
    public void captureFinal() throws DeviceException {
        requireAlive();
        boolean captured = false;
        try {
            capture();
            captured = true;
        } finally {
            if (!captured) {
                markDead();
            }
        }
        complete = true;
    }

    /** One image; with more space than the device told, where that turns out to be too little. */
    private long capture() throws DeviceException {
        for (int attempt = 1; ; attempt++) {
            try {
                return encoder.capture();
            } catch (DeviceException e) {
                if (!object.wantsMoreSpace() || attempt == MOST_CAPTURES) {
                    throw e;
                }
            }
        }
    }

    @Override
    public int read(ByteBuffer into) throws DeviceException, ClosedChannelException {
        requireOpen();
        requireAlive();
        if (!into.hasRemaining()) {
            return 0;
        }
        boolean wasComplete = complete;
        int count = encoder.read(into);
        return count == 0 && wasComplete ? -1 : count;
    }

    @Override
    public PrecopyInfo precopyInfo() throws DeviceException {
        return driver.inGate(() -> {
            requireAlive();
            driver.requirePreCopy();
            try {
                return report();
            } finally {
                object.forgetSize();
            }
        });
    }

    private PrecopyInfo report() throws DeviceException {
        long size = limit.tryAcquire() ? object.refreshSize() : 0;
        long position = encoder.readBytes();
        if (initialBytes > position) {
            return new PrecopyInfo(initialBytes - position, 0, false);
        }
        long unread = encoder.queuedBytes();
        if (unread == 0 && size > 0) {
            capture();
        }
        return new PrecopyInfo(0, unread + size, false);
    }
}
