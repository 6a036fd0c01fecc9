// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.stream.StreamFormat;
import dev.ferry.virtio.DevPartsObject.Operation;
import java.util.function.LongSupplier;

/**
 * The data transfer session of one member: at most one saving or one resuming, each with its device parts object.
 *
 * <p>Used inside the driver's gate, except for {@link #markDead}.
 */
final class MemberSessions {

    /** Gives a new saving session its first image. */
    @FunctionalInterface
    interface FirstImage {
        void capture(PartsSavingSession session) throws DeviceException;
    }

    private final OwnerDevice owner;
    private final int member;
    private final StreamFormat format;
    private final LongSupplier nanoTime;
    private volatile PartsSavingSession saving;
    private volatile PartsResumingSession resuming;

    MemberSessions(OwnerDevice owner, int member, StreamFormat format, LongSupplier nanoTime) {
        this.owner = owner;
        this.member = member;
        this.format = format;
        this.nanoTime = nanoTime;
    }

    /** The saving session; only in a state that has one. */
    PartsSavingSession saving() {
        return saving;
    }

    /** The resuming session; only in RESUMING. */
    PartsResumingSession resuming() {
        return resuming;
    }

    /** Opens a saving session with its first image; when that fails no object is left. */
    PartsSavingSession openSaving(DriverAccess driver, FirstImage image) throws DeviceException {
        PartsObject object = PartsObject.create(owner, member, Operation.GET);
        boolean opened = false;
        try {
            PrecopyRateLimit limit = new PrecopyRateLimit(nanoTime);
            PartsSavingSession session = new PartsSavingSession(driver, object, format.encoder(object), limit);
            image.capture(session);
            saving = session;
            opened = true;
            return session;
        } finally {
            if (!opened) {
                object.destroy();
            }
        }
    }

    /** Opens a resuming session; when that fails no object is left. */
    PartsResumingSession openResuming(DriverAccess driver) throws DeviceException {
        PartsObject object = PartsObject.create(owner, member, Operation.SET);
        boolean opened = false;
        try {
            PartsResumingSession session = new PartsResumingSession(driver, object, format.decoder(object));
            resuming = session;
            opened = true;
            return session;
        } finally {
            if (!opened) {
                object.destroy();
            }
        }
    }

    /** The size of an image now, asked with the saving session's object or with one for this question alone. */
    long imageSize() throws DeviceException {
        if (saving != null) {
            return saving.object().imageSize();
        }
        PartsObject temporary = PartsObject.create(owner, member, Operation.GET);
        try {
            return temporary.imageSize();
        } finally {
            temporary.destroy();
        }
    }

    /** Makes every later use of an open session fail with ENODEV; the objects stay. From any thread. */
    void markDead() {
        PartsSavingSession openSaving = saving;
        if (openSaving != null) {
            openSaving.markDead();
        }
        PartsResumingSession openResuming = resuming;
        if (openResuming != null) {
            openResuming.markDead();
        }
    }

    /** Ends an open session, at the device too. A device that does not destroy the object does not stop that. */
    void kill() {
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
