// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;
import dev.ferry.stream.StreamFormat;
import java.util.function.LongSupplier;

/**
 * The data transfer session of one member: at most one saving or one resuming, each with what it holds at the device.
 *
 * <p>Used inside the driver's gate, except for {@link #markDead}.
 */
public final class MemberSessions {

    /** What a session is for. */
    public enum Purpose {
        /** It reads images. */
        SAVING,
        /** It writes images. */
        RESUMING
    }

    /** Makes what a session needs at the device; when it throws nothing is left there. */
    @FunctionalInterface
    public interface Opener {
        /** Opens. */
        SessionDevice open(Purpose purpose) throws DeviceException;
    }

    /** Gives a new saving session its first image. */
    @FunctionalInterface
    public interface FirstImage {
        /** Captures. */
        void capture(ImageSavingSession session) throws DeviceException;
    }

    private final Opener opener;
    private final StreamFormat format;
    private final LongSupplier nanoTime;
    private volatile ImageSavingSession saving;
    private volatile ImageResumingSession resuming;

    /** No session is open. */
    public MemberSessions(Opener opener, StreamFormat format, LongSupplier nanoTime) {
        this.opener = opener;
        this.format = format;
        this.nanoTime = nanoTime;
    }

    /** The saving session; only in a state that has one. */
    public ImageSavingSession saving() {
        return saving;
    }

    /** The resuming session; only in RESUMING. */
    public ImageResumingSession resuming() {
        return resuming;
    }

    /** Opens a saving session with its first image; when that fails no object is left. */
    public ImageSavingSession openSaving(DriverAccess driver, FirstImage image) throws DeviceException {
        SessionDevice object = opener.open(Purpose.SAVING);
        boolean opened = false;
        try {
            PrecopyRateLimit limit = new PrecopyRateLimit(nanoTime);
            ImageSavingSession session = new ImageSavingSession(driver, object, format.encoder(object), limit);
            image.capture(session);
            saving = session;
            opened = true;
            return session;
        } finally {
            if (!opened) {
                object.end();
            }
        }
    }

    /** Opens a resuming session; when that fails no object is left. */
    public ImageResumingSession openResuming(DriverAccess driver) throws DeviceException {
        SessionDevice object = opener.open(Purpose.RESUMING);
        boolean opened = false;
        try {
            ImageResumingSession session = new ImageResumingSession(driver, object, format.decoder(object));
            resuming = session;
            opened = true;
            return session;
        } finally {
            if (!opened) {
                object.end();
            }
        }
    }

    /** A question to the device. */
    @FunctionalInterface
    public interface Question<T> {
        /** Asks. */
        T ask(SessionDevice device) throws DeviceException;
    }

    /** The size of an image now. */
    public long imageSize() throws DeviceException {
        return ask(SessionDevice::imageSize);
    }

    /** Asks through the saving session, or through one for this question alone, of which nothing is left. */
    public <T> T ask(Question<T> question) throws DeviceException {
        if (saving != null) {
            return question.ask(saving.object);
        }
        SessionDevice temporary = opener.open(Purpose.SAVING);
        try {
            return question.ask(temporary);
        } finally {
            temporary.end();
        }
    }

    /** Makes every later use of an open session fail with ENODEV; the objects stay. From any thread. */
    public void markDead() {
        ImageSavingSession openSaving = saving;
        if (openSaving != null) {
            openSaving.markDead();
        }
        ImageResumingSession openResuming = resuming;
        if (openResuming != null) {
            openResuming.markDead();
        }
    }

    /** Ends an open session, at the device too. A device that does not destroy the object does not stop that. */
    public void kill() {
        if (resuming != null) {
            resuming.kill();
            resuming = null;
        }
        if (saving != null) {
            saving.kill();
            saving = null;
        }
    }
}
