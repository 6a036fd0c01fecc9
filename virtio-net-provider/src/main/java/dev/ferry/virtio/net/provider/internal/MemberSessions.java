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
    private final MemberIds ids;
    private final StreamFormat format;
    private final LongSupplier nanoTime;
    private volatile PartsSavingSession saving;
    private volatile PartsResumingSession resuming;

    MemberSessions(OwnerDevice owner, int member, MemberIds ids, StreamFormat format, LongSupplier nanoTime) {
        this.owner = owner;
        this.member = member;
        this.ids = ids;
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
        PartsObject object = PartsObject.create(owner, member, ids, Operation.GET);
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
        PartsObject object = PartsObject.create(owner, member, ids, Operation.SET);
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

    /** A question to the device that needs an object for reading. */
    @FunctionalInterface
    interface Question<T> {
        T ask(PartsObject object) throws DeviceException;
    }

    /** Asks with the saving session's object, or with one for this question alone, of which nothing is left. */
    <T> T ask(Question<T> question) throws DeviceException {
        if (saving != null) {
            return question.ask(saving.object());
        }
        PartsObject temporary = PartsObject.create(owner, member, ids, Operation.GET);
        try {
            return question.ask(temporary);
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
