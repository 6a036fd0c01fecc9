// SPDX-License-Identifier: Apache-2.0
package dev.ferry.device;

import java.time.Duration;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * A place in the queue for what one data transfer session of a device needs, a resource object of its owner device for
 * example; given by {@link MigrationDriver#requestSession}.
 *
 * <p>{@code fsm-core} asks for it before it disturbs anything and waits here, in short pieces, so that a job can be
 * cancelled meanwhile. Once granted it keeps what one session at a time needs, for one session after the other, until
 * it is closed; a session that is open then keeps it until its own end. Thread-safe.
 */
@ConsumerType
public interface SessionTicket extends AutoCloseable {

    /** The ticket of a driver whose sessions need nothing that could run out. */
    SessionTicket GRANTED = new SessionTicket() {
        @Override
        public boolean await(Duration atMost) {
            return true;
        }

        @Override
        public void close() {
            // Nothing is held.
        }
    };

    /**
     * Waits until a session can be opened.
     *
     * @param atMost how long this call may wait; zero to look only
     * @return whether it can be opened now; stays true
     * @throws DeviceException ENOSPC when there is nothing free and the time that the driver allows for waiting is
     *     over; ENODEV when the device or its owner has left
     */
    boolean await(Duration atMost) throws DeviceException;

    /** Ends the wait, or gives back what was granted. May be called again. */
    @Override
    void close();
}
