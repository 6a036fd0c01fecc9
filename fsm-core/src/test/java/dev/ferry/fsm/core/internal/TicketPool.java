// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.SessionTicket;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** So many places for sessions, given in the order in which they were asked for. Thread-safe. */
public final class TicketPool {

    private final int places;
    private final List<Ticket> queue = new ArrayList<>();
    private boolean refuses;

    TicketPool(int places) {
        this.places = places;
    }

    /** From now on nobody waits: without a place there is ENOSPC. */
    synchronized TicketPool refusing() {
        refuses = true;
        notifyAll();
        return this;
    }

    /** Tickets that were not given back. */
    synchronized int open() {
        return queue.size();
    }

    synchronized SessionTicket request() {
        Ticket ticket = new Ticket();
        queue.add(ticket);
        return ticket;
    }

    private synchronized boolean await(Ticket ticket, Duration atMost) throws DeviceException {
        long end = System.nanoTime() + atMost.toNanos();
        while (queue.indexOf(ticket) >= places) {
            if (refuses) {
                throw new DeviceException(Errno.ENOSPC, "all places are taken");
            }
            long left = end - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            try {
                TimeUnit.NANOSECONDS.timedWait(this, left);
            } catch (InterruptedException e) {
                throw new AssertionError("nobody interrupts", e);
            }
        }
        return true;
    }

    private synchronized void close(Ticket ticket) {
        queue.remove(ticket);
        notifyAll();
    }

    private final class Ticket implements SessionTicket {
        @Override
        public boolean await(Duration atMost) throws DeviceException {
            if (atMost.compareTo(Duration.ofSeconds(1)) > 0) {
                throw new AssertionError("too long to be cancelled: " + atMost);
            }
            return TicketPool.this.await(this, atMost);
        }

        @Override
        public void close() {
            TicketPool.this.close(this);
        }
    }
}
