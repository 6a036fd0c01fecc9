// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import dev.ferry.device.MigrationDriver;
import dev.ferry.device.SessionTicket;
import dev.ferry.migration.MigrationException;
import java.time.Duration;
import java.util.Objects;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The place of one device in the queue for data transfer sessions, for as long as one job uses the device. Confined to
 * that job.
 */
final class SessionPlace {

    /** How long one look at a ticket takes at most: the delay of a cancel. */
    private static final Duration SLICE = Duration.ofMillis(50);

    private static final Logger LOG = LoggerFactory.getLogger(SessionPlace.class);

    private final DriverCalls calls;
    private final MigrationDriver driver;

    /** Null while the job has not asked for one. */
    private SessionTicket ticket;

    SessionPlace(DriverCalls calls, MigrationDriver driver) {
        this.calls = calls;
        this.driver = driver;
    }

    /** Queues up, where the job has not done so; does not wait. */
    void request() throws MigrationException {
        if (ticket == null) {
            ticket = calls.call(
                    "asking for a data transfer session",
                    () -> Objects.requireNonNull(driver.requestSession(), "no ticket"));
        }
    }

    /**
     * Waits, no longer than the driver allows. The signal is looked at only when it has to be waited: on its way back a
     * job that was cancelled goes on with what it has.
     */
    void await(StopSignal signal) throws MigrationException {
        Duration slice = Duration.ZERO;
        while (!isGranted(slice)) {
            signal.check();
            slice = SLICE;
        }
    }

    private boolean isGranted(Duration atMost) throws MigrationException {
        return calls.call("waiting for a data transfer session", () -> ticket.await(atMost));
    }

    /** The job ends: gives the place back, but for what an open session keeps. */
    void release() {
        SessionTicket held = ticket;
        ticket = null;
        if (held == null || calls.isGone()) {
            return;
        }
        try {
            calls.call("giving back its place for a data transfer session", () -> {
                held.close();
                return null;
            });
        } catch (MigrationException e) {
            LOG.warn("{}: what a session needs could not be given back", calls.device(), e);
        }
    }
}
