// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.SessionTicket;
import java.time.Duration;
import java.util.HashSet;
import java.util.Set;

/**
 * Where the objects of one member get their ids: from the ticket of the job that uses the member, where there is one
 * and it has been granted an id, else from the pool of the owner, without waiting.
 *
 * <p>An id that came from a ticket goes back to it as long as it is open: so a job that opens several sessions one
 * after the other does not lose its place in between. Thread-safe.
 */
final class MemberIds {

    private final String deviceId;
    private final ObjectIds pool;
    private final Runnable reclaim;

    /** Ids under which the device may have an object now. */
    private final Set<Integer> inUse = new HashSet<>();

    /** Null when no job has one. */
    private Ticket ticket;

    private boolean departed;

    /**
     * The ids of one member.
     *
     * @param reclaim tries to get back an id that was lost; run by whoever has to wait, with no lock held, as nobody
     *     creates an object while all wait, which is when it is tried otherwise
     */
    MemberIds(String deviceId, ObjectIds pool, Runnable reclaim) {
        this.deviceId = deviceId;
        this.pool = pool;
        this.reclaim = reclaim;
    }

    /** One place in the queue of the owner, and the id that came of it. */
    private final class Ticket implements SessionTicket {
        private final ObjectIds.Waiter waiter;

        /** An id that it keeps whether an object has it or not; guarded by the member's ids. */
        private int kept;

        /** It was granted once; guarded as well. */
        private boolean granted;

        private Ticket(ObjectIds.Waiter waiter, int kept) {
            this.waiter = waiter;
            this.kept = kept;
            this.granted = kept != ObjectIds.NONE;
        }

        @Override
        public boolean await(Duration atMost) throws DeviceException {
            if (isGranted()) {
                return true;
            }
            if (pool.granted(waiter) == ObjectIds.NONE) {
                reclaim.run();
            }
            int id = pool.await(waiter, atMost.toNanos());
            return id != ObjectIds.NONE && accept(this, id);
        }

        private boolean isGranted() {
            synchronized (MemberIds.this) {
                return granted;
            }
        }

        @Override
        public void close() {
            end(this, new DeviceException(Errno.ECANCELED, "the wait of " + deviceId + " for an object was ended"));
        }
    }

    /**
     * Queues up for an id.
     *
     * @throws DeviceException ENODEV after {@link #depart}
     */
    synchronized SessionTicket request() throws DeviceException {
        if (departed) {
            throw gone();
        }
        if (ticket != null) {
            ticket.close();
        }
        // A session that an earlier job left open has an id already, which will do for the next session, too.
        ticket = inUse.isEmpty()
                ? new Ticket(pool.queueUp(), ObjectIds.NONE)
                : new Ticket(null, inUse.iterator().next());
        return ticket;
    }

    private synchronized boolean accept(Ticket granted, int id) throws DeviceException {
        if (ticket != granted) {
            throw gone(); // Departed in this very moment: the id was given back by who ended the ticket.
        }
        granted.kept = id;
        granted.granted = true;
        return true;
    }

    /** Gives back what a ticket has, unless an object still has it. */
    private synchronized void end(Ticket ended, DeviceException why) {
        if (ticket != ended) {
            return;
        }
        ticket = null;
        if (!ended.granted) {
            pool.leave(ended.waiter, why);
            ended.kept = pool.granted(ended.waiter);
        }
        if (ended.kept != ObjectIds.NONE && !inUse.contains(ended.kept)) {
            pool.giveBack(ended.kept);
        }
    }

    /**
     * An id for an object.
     *
     * @throws DeviceException ENOSPC when there is none
     */
    synchronized int take() throws DeviceException {
        boolean isKept = ticket != null && ticket.kept != ObjectIds.NONE && !inUse.contains(ticket.kept);
        int id = isKept ? ticket.kept : pool.take();
        inUse.add(id);
        return id;
    }

    /** The device has no object under this id any more. */
    synchronized void giveBack(int id) {
        inUse.remove(id);
        if (ticket == null || ticket.kept != id) {
            pool.giveBack(id);
        }
    }

    /** The device may still have an object under this id, and somebody else sees to it from now on. */
    synchronized void lose(int id) {
        inUse.remove(id);
        if (ticket != null && ticket.kept == id) {
            ticket.kept = ObjectIds.NONE;
        }
    }

    /** The member leaves: whoever waits is told so, and what no object has is given back. */
    synchronized void depart() {
        departed = true;
        if (ticket != null) {
            end(ticket, gone());
        }
    }

    private DeviceException gone() {
        return new DeviceException(Errno.ENODEV, deviceId + " is no longer served by its provider");
    }
}
