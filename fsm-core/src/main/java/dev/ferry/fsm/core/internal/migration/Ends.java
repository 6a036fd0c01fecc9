// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.memory.GuestCalls;
import dev.ferry.fsm.core.internal.pace.StepHistory;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationRequest;
import java.util.List;
import java.util.Optional;

/**
 * Both ends of one migration: devices, guests, and how far each was touched, which is what a rollback has to know.
 * Confined to the thread of the migration.
 */
final class Ends {

    private final List<DeviceEnds> devices;
    private final Optional<GuestCalls> sourceGuest;
    private final Optional<GuestCalls> destinationGuest;
    private boolean sourcesTouched;
    private boolean destinationsTouched;
    private boolean destinationsMayAct;
    private boolean guestPaused;

    Ends(List<DeviceEnds> devices, MigrationRequest request) {
        this.devices = List.copyOf(devices);
        this.sourceGuest = request.guests().map(guests -> new GuestCalls("source", guests.source()));
        this.destinationGuest = request.guests().map(guests -> new GuestCalls("destination", guests.destination()));
    }

    /** In the order of the request. */
    List<DeviceEnds> devices() {
        return devices;
    }

    List<Device> sources() {
        return devices.stream().map(DeviceEnds::source).toList();
    }

    List<Device> destinations() {
        return devices.stream().map(DeviceEnds::destination).toList();
    }

    /** What the downtimes of such migrations have in common beside the work of the devices. */
    StepHistory.Beside beside() {
        return new StepHistory.Beside(devices.size(), sourceGuest.isPresent());
    }

    Optional<GuestCalls> sourceGuest() {
        return sourceGuest;
    }

    Optional<GuestCalls> destinationGuest() {
        return destinationGuest;
    }

    /** Whether the sources have to be unwound on the way back. */
    boolean areSourcesTouched() {
        return sourcesTouched;
    }

    void touchSources() {
        sourcesTouched = true;
    }

    /** Whether the destinations have to be reset on the way back. */
    boolean areDestinationsTouched() {
        return destinationsTouched;
    }

    void touchDestinations() {
        destinationsTouched = true;
    }

    /** Whether the destinations may act with the guest's state: from READY, where they can be in RUNNING_P2P. */
    boolean mayDestinationsAct() {
        return destinationsMayAct;
    }

    void letDestinationsAct() {
        destinationsMayAct = true;
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
}
