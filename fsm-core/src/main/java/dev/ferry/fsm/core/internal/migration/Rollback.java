// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.ArcWatch;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.Recovery;
import dev.ferry.fsm.core.internal.device.Recovery.Rung;
import dev.ferry.migration.DowntimeStep.Step;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Brings both ends back after a failure before COMMIT: the sources run again, the destinations forget the guest. All
 * devices of one end at the same time, as the guest waits for it; one that does not come back so is tried once more
 * alone, as it may have failed because of too much at a time. Confined to the thread of the migration.
 */
final class Rollback {

    private static final Logger LOG = LoggerFactory.getLogger(Rollback.class);

    private final Ends ends;
    private final Crew crew;
    private final Passes passes;
    private final Downtime downtime;
    private final ArcWatch watch;
    private final List<Failure> failures = new ArrayList<>();
    private final List<Device> stuck = new ArrayList<>();

    Rollback(Ends ends, Kit kit) {
        this.ends = ends;
        this.crew = kit.crew();
        this.passes = kit.passes();
        this.downtime = kit.timeline().downtime();
        this.watch = kit.timeline().watch();
    }

    /** Rolls back; answers how the sources and their guest came out. What went wrong on the way is in the list. */
    Recovery.Outcome run() {
        downtime.turnBack();
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
        Rung lowest = Rung.IN_ORDER;
        List<Device> dead = new ArrayList<>();
        Map<Device, Recovery.Outcome> outcomes = unwindSources();
        for (Device source : ends.sources()) {
            Recovery.Outcome outcome = outcomes.get(source);
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

    private Map<Device, Recovery.Outcome> unwindSources() {
        List<Device> sources = ends.sources();
        if (sources.size() > 1) {
            unwindTogether(sources);
        }
        Map<Device, Recovery.Outcome> outcomes = new ConcurrentHashMap<>();
        Map<Device, Recovery> fallen = new LinkedHashMap<>();
        for (Device source : sources) {
            Recovery recovery = new Recovery(source, watch);
            if (recovery.climb()) {
                outcomes.put(source, recovery.inOrder());
            } else {
                fallen.put(source, recovery);
            }
        }
        together(fallen.keySet(), source -> outcomes.put(source, fallen.get(source).fall()));
        fallen.forEach((source, recovery) -> outcomes.computeIfAbsent(source, left -> recovery.fall()));
        return outcomes;
    }

    /** The way up in two passes as well: nobody runs before all can be reached. What fails is tried again alone. */
    private void unwindTogether(List<Device> sources) {
        Set<Device> known = ConcurrentHashMap.newKeySet();
        Set<Device> able = ConcurrentHashMap.newKeySet();
        together(sources, source -> {
            DeviceState state = source.machine().sync();
            known.add(source);
            if (!state.isRunning() && DeviceState.RUNNING_P2P.isSupportedBy(source.features())) {
                able.add(source);
            }
        });
        Set<Device> quiesced = goEach(sources.stream().filter(able::contains).toList(), DeviceState.RUNNING_P2P);
        known.removeIf(source -> able.contains(source) && !quiesced.contains(source));
        goEach(sources.stream().filter(known::contains).toList(), DeviceState.RUNNING);
    }

    /** Answers who came there. */
    private Set<Device> goEach(List<Device> devices, DeviceState target) {
        try {
            Map<Device, MigrationException> failed =
                    passes.goEach(Passes.Move.untimed(devices, target), Step.ROLLBACK);
            failed.forEach((device, e) -> LOG.debug("{}: is tried alone", device.id(), e));
            return devices.stream().filter(device -> !failed.containsKey(device)).collect(Collectors.toSet());
        } catch (MigrationException | RuntimeException | Error e) {
            LOG.debug("Each is tried alone", e);
            return Set.of();
        }
    }

    /** Part of the way back of one device. */
    @FunctionalInterface
    private interface Part {
        void run(Device device) throws MigrationException;
    }

    /** Nobody is kept from coming back by what fails here; whoever calls this sees what was not done. */
    private void together(Collection<Device> devices, Part part) {
        try {
            crew.runAll(devices.stream().map(device -> piece(device, part)).toList());
        } catch (MigrationException | RuntimeException | Error e) {
            LOG.debug("Each is tried alone", e);
        }
    }

    private static Crew.Piece piece(Device device, Part part) {
        return gate -> {
            try {
                part.run(device);
            } catch (MigrationException | RuntimeException | Error e) {
                LOG.debug("{}: is tried alone", device.id(), e);
            }
        };
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
            source.machine().custody().holdBack(destinations);
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
        Map<Device, Recovery> recoveries = new LinkedHashMap<>();
        ends.destinations().forEach(destination -> recoveries.put(destination, new Recovery(destination, watch)));
        Map<Device, Boolean> resets = new ConcurrentHashMap<>();
        together(recoveries.keySet(), destination -> resets.put(destination, recoveries.get(destination).reset()));
        for (Device destination : ends.destinations()) {
            Recovery recovery = recoveries.get(destination);
            Boolean reset = resets.get(destination);
            Recovery.Outcome outcome =
                    reset == null ? recovery.abandon() : reset ? recovery.inOrder() : recovery.silence();
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
