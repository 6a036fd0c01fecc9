// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import java.util.Optional;

/**
 * Where the one session of a device lives. Whatever leaves the slot is dropped, and so is what comes when the slot is
 * closed: no descriptor of a session outlives its driver, in whatever order a step and the driver's end come.
 * Thread-safe.
 */
final class SessionSlot implements AutoCloseable {
    private VfioSession session;
    private boolean closed;

    /** The session that is alive. */
    synchronized Optional<VfioSession> present() {
        return Optional.ofNullable(session);
    }

    /**
     * Takes a new session in the place of the one before, which is dropped.
     *
     * @return false when the slot was closed: the new session was dropped, too
     */
    synchronized boolean put(VfioSession next) {
        clear();
        if (closed) {
            next.drop();
            return false;
        }
        session = next;
        return true;
    }

    /** Drops the session, if there is one. */
    synchronized void clear() {
        if (session != null) {
            session.drop();
            session = null;
        }
    }

    /** Drops the session, and each that comes later. */
    @Override
    public synchronized void close() {
        closed = true;
        clear();
    }
}
