// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.ArcWatch;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.Recovery;
import dev.ferry.fsm.core.internal.device.Recovery.Rung;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings both ends back after a failure before COMMIT: the sources run again, the destinations forget the guest. One
 * device after the other, as whatever failed may have failed because of too much at a time.
 */
final class Rollback {

    private static final Logger LOG = LoggerFactory.getLogger(Rollback.class);

    private final Ends ends;
    private final Downtime downtime;
    private final ArcWatch watch;
    private final List<Failure> failures = new ArrayList<>();
    private final List<Device> stuck = new ArrayList<>();

    Rollback(Ends ends, Timeline timeline) {
        this.ends = ends;
        this.downtime = timeline.downtime();
        this.watch = timeline.watch();
    }

    /** Rolls back; answers how the sources and their guest came out. What went wrong on the way is in the list. */
    Recovery.Outcome run() {
        // Where they could act for the guest already, they have to be silent before the sources act again.
        if (ends.mayDestinationsAct()) {
            abandonDestinations();
        }
        Rung sources = stuck.isEmpty() ? resumeSources() : leaveSourcesStopped();
        if (sources != Rung.BROKEN) {
            downtime.end();
        }
        if (ends.areDestinationsTouched() && !ends.mayDestinationsAct()) {
            abandonDestinations();
        }
        return new Recovery.Outcome(sources, failures);
    }

    private Rung resumeSources() {
        if (!ends.areSourcesTouched()) {
            return Rung.IN_ORDER;
        }
        List<Device> sources = ends.sources();
        if (sources.size() > 1) {
            sources.forEach(this::quiesce);
        }
        Rung lowest = Rung.IN_ORDER;
        List<Device> dead = new ArrayList<>();
        for (Device source : sources) {
            Recovery.Outcome outcome = new Recovery(source, watch).unwind();
            failures.addAll(outcome.failures());
            lowest = lowest.compareTo(outcome.rung()) < 0 ? outcome.rung() : lowest;
            if (outcome.rung() == Rung.BROKEN) {
                dead.add(source);
            }
        }
        if (!ends.isGuestPaused()) {
            return lowest;
        }
        boolean resumed = dead.isEmpty() ? resumeGuest() : leaveGuestPaused(dead);
        return resumed ? lowest : Rung.BROKEN;
    }

    /** The way up in two passes as well: nobody runs before all can be reached. What fails here fails again below. */
    private void quiesce(Device source) {
        try {
            DeviceState state = source.machine().sync();
            if (!state.isRunning() && DeviceState.RUNNING_P2P.isSupportedBy(source.features())) {
                source.machine().goTo(DeviceState.RUNNING_P2P, watch);
            }
        } catch (MigrationException | RuntimeException | Error e) {
            LOG.debug("{}: cannot be unwound in two passes", source.id(), e);
        }
    }

    private boolean leaveGuestPaused(List<Device> dead) {
        failures.add(Failure.of(
                FailureCode.GUEST_FAILED,
                "The guest at the source is left paused, as its device " + names(dead)
                        + " does not run: reset the device, then resume the guest."));
        return false;
    }

    private boolean resumeGuest() {
        try {
            ends.sourceGuest().orElseThrow().resume();
            return true;
        } catch (MigrationException e) {
            failures.add(e.failure());
            return false;
        }
    }

    private Rung leaveSourcesStopped() {
        String destinations = names(stuck);
        for (Device source : ends.sources()) {
            failures.add(Failure.of(
                    FailureCode.DEVICE_FAILED,
                    source.id(),
                    source.id() + ": it is not started again, as " + destinations
                            + " could be neither reset nor stopped and may still act for the guest: reset "
                            + destinations + ", then take " + source.id() + " to RUNNING and resume its guest."));
        }
        return Rung.BROKEN;
    }

    private void abandonDestinations() {
        for (Device destination : ends.destinations()) {
            Recovery.Outcome outcome = new Recovery(destination, watch).abandon();
            failures.addAll(outcome.failures());
            if (outcome.rung() == Rung.BROKEN) {
                stuck.add(destination);
            }
        }
    }

    private static String names(List<Device> devices) {
        return devices.stream().map(Device::id).collect(Collectors.joining(", "));
    }
}
