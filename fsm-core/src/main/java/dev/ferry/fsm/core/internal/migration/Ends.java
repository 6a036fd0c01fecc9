// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.Arc;
import dev.ferry.fsm.core.internal.device.ArcWatch;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationRequest;
import java.util.Optional;

/**
 * Both ends of one migration: devices, guests, and how far each was touched, which is what a rollback has to know.
 * Confined to the thread of the migration.
 */
final class Ends {

    private final Device source;
    private final Device destination;
    private final Optional<GuestCalls> sourceGuest;
    private final Optional<GuestCalls> destinationGuest;
    private boolean sourceTouched;
    private boolean destinationTouched;
    private boolean destinationMayAct;
    private boolean guestPaused;

    Ends(Device source, Device destination, MigrationRequest request) {
        this.source = source;
        this.destination = destination;
        this.sourceGuest = request.guests().map(guests -> new GuestCalls("source", guests.source()));
        this.destinationGuest = request.guests().map(guests -> new GuestCalls("destination", guests.destination()));
    }

    Device source() {
        return source;
    }

    Device destination() {
        return destination;
    }

    Optional<GuestCalls> sourceGuest() {
        return sourceGuest;
    }

    Optional<GuestCalls> destinationGuest() {
        return destinationGuest;
    }

    /** Whether the source has to be unwound on the way back. */
    boolean isSourceTouched() {
        return sourceTouched;
    }

    void touchSource() {
        sourceTouched = true;
    }

    /** Whether the destination has to be reset on the way back. */
    boolean isDestinationTouched() {
        return destinationTouched;
    }

    void touchDestination() {
        destinationTouched = true;
    }

    /** Whether the destination may act with the guest's state: from READY, where it can be in RUNNING_P2P. */
    boolean mayDestinationAct() {
        return destinationMayAct;
    }

    void letDestinationAct() {
        destinationMayAct = true;
    }

    /** Whether the guest at the source has to be resumed on the way back. */
    boolean isGuestPaused() {
        return guestPaused;
    }

    /** Pauses the guest; a guest that failed to pause counts as paused. */
    void pauseGuest() throws MigrationException {
        if (sourceGuest.isPresent()) {
            guestPaused = true;
            sourceGuest.get().pause();
        }
    }

    /** Tells of each arc, and stops before the next one when the job is asked to. */
    static ArcWatch watch(Timeline timeline, StopSignal signal) {
        return new ArcWatch() {
            @Override
            public void before() throws MigrationException {
                signal.check();
            }

            @Override
            public void taken(String device, Arc arc) {
                timeline.arcTaken(device, arc);
            }
        };
    }
}
