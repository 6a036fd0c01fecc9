// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.migration.DowntimeStep.Step;
import dev.ferry.migration.Failure;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationPhase;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Collectors;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * START and RELEASE: the destination owns the devices, and nothing here gives them back or throws state away. Confined
 * to the thread of the migration.
 */
final class FinalSteps {

    private static final Logger LOG = LoggerFactory.getLogger(FinalSteps.class);

    private final Ends ends;
    private final ForwardSteps forward;
    private final Kit kit;
    private final Timeline timeline;

    FinalSteps(Ends ends, ForwardSteps forward, Kit kit) {
        this.ends = ends;
        this.forward = forward;
        this.kit = kit;
        this.timeline = kit.timeline();
    }

    /**
     * Goes both steps, the second one also when the first failed; answers what failed. The downtime of a guest that did
     * not start does not end here.
     */
    Optional<Failure> run() {
        Optional<Failure> failure = start();
        timeline.downtime().endStep(Step.START);
        if (failure.isEmpty()) {
            timeline.downtime().end();
        }
        stopTracking();
        releaseSources();
        return failure;
    }

    private Optional<Failure> start() {
        timeline.enter(MigrationPhase.START);
        try {
            // One device that fails keeps no other one from being started, only the guest.
            Map<Device, MigrationException> failures = startDevices();
            if (!failures.isEmpty()) {
                return Optional.of(withAdvice(all(failures.values())));
            }
            if (ends.destinationGuest().isPresent()) {
                ends.destinationGuest().get().resume();
            }
            return Optional.empty();
        } catch (MigrationException | RuntimeException | Error e) {
            LOG.debug("The destination does not start because of", e);
            return Optional.of(withAdvice(Failures.of(e)));
        }
    }

    /** Nobody else can run the guest any more, so a device that fails for a moment is asked once more. */
    private Map<Device, MigrationException> startDevices() throws MigrationException {
        List<Passes.Move> moves = Passes.Move.destinations(ends.devices(), DeviceState.RUNNING);
        Map<Device, MigrationException> failures = kit.passes().goEach(moves, Step.START);
        if (failures.isEmpty()) {
            return failures;
        }
        failures.values().forEach(e -> LOG.warn("A device is started once more: {}", e.failure().message()));
        List<Passes.Move> again =
                moves.stream().filter(move -> failures.containsKey(move.device())).toList();
        // What failed first is what is told.
        failures.keySet().retainAll(kit.passes().goEach(again, Step.START).keySet());
        return failures;
    }

    private static Failure all(Collection<MigrationException> failures) {
        Failure first = failures.iterator().next().failure();
        List<Failure> following = new ArrayList<>(first.following());
        failures.stream().skip(1).map(MigrationException::failure).forEach(following::add);
        return new Failure(first.code(), first.phase(), first.device(), first.errno(), first.message(), following);
    }

    private Failure withAdvice(Failure failure) {
        Device first = ends.devices().get(0).destination();
        String advice = sentence(failure.message()) + " The destination " + names(ends.destinations())
                + " owns the guest and is left in " + states(ends.destinations())
                + " with what was loaded: take it to RUNNING if it is not, then resume its guest. The source "
                + names(ends.sources())
                + " is not started again; it keeps its copy in STOP until it is used for anything, or until its driver "
                + "leaves after the destination has run. The downtime lasts until the guest is resumed.";
        return new Failure(
                failure.code(),
                Optional.of(MigrationPhase.START),
                failure.device().or(() -> Optional.of(first.id())),
                failure.errno(),
                advice,
                failure.following());
    }

    /** A driver's message may lack its full stop. */
    private static String sentence(String message) {
        return message.endsWith(".") ? message : message + ".";
    }

    private static String names(List<Device> devices) {
        return devices.stream().map(Device::id).collect(Collectors.joining(", "));
    }

    private static String states(List<Device> devices) {
        return devices.stream()
                .map(device -> device.state().map(DeviceState::name).orElse("a state that cannot be asked"))
                .collect(Collectors.joining(", "));
    }

    /** Only now, as it takes its time and the guest is not to wait for it. */
    private void stopTracking() {
        for (Failure failure : forward.stopTracking()) {
            LOG.warn("The guest has moved, but its pages are still tracked at the source: {}", failure.message());
        }
    }

    private void releaseSources() {
        timeline.enter(MigrationPhase.RELEASE);
        try {
            List<Passes.Move> sources = Passes.Move.untimed(ends.sources(), DeviceState.STOP);
            kit.passes().goEach(sources, Step.STOP).values().forEach(FinalSteps::warn);
        } catch (MigrationException e) {
            warn(e);
        }
    }

    private static void warn(MigrationException e) {
        LOG.warn("The source is released, but did not go to STOP; it is reset before its next use. {}",
                e.failure().message(), e);
    }
}
