// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.StopSignal;
import dev.ferry.fsm.core.internal.device.TimeSource;
import dev.ferry.migration.DowntimeStep.Step;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Takes several devices to their states together: each arc is taken by all of them, at the same time, before the next
 * one is. So no device starts peer-to-peer DMA towards one that has stopped. Confined to the thread of the migration.
 */
final class Passes {

    private final Crew crew;
    private final Timeline timeline;
    private final StopSignal stop;

    /** {@code stop} ends a pass before its next arc, and is told of each arc at once that it is progress. */
    Passes(Crew crew, Timeline timeline, StopSignal stop) {
        this.crew = crew;
        this.timeline = timeline;
        this.stop = stop;
    }

    /** One device that moves to a state, and where the time it takes is counted. */
    record Move(Device device, DeviceState target, StepTimes times) {
        /** Where the time is not counted. */
        static List<Move> untimed(List<Device> devices, DeviceState target) {
            return devices.stream()
                    .map(device -> new Move(device, target, new StepTimes(TimeSource.SYSTEM)))
                    .toList();
        }

        static List<Move> sources(List<DeviceEnds> devices, DeviceState target) {
            return devices.stream()
                    .map(ends -> new Move(ends.source(), target, ends.times()))
                    .toList();
        }

        /** Destinations that make room before the downtime. */
        static List<Move> rehearsals(List<DeviceEnds> devices, DeviceState target) {
            return devices.stream()
                    .map(ends -> new Move(ends.destination(), target, ends.rehearsal()))
                    .toList();
        }

        static List<Move> destinations(List<DeviceEnds> devices, DeviceState target) {
            return devices.stream()
                    .map(ends -> new Move(ends.destination(), target, ends.times()))
                    .toList();
        }

        private List<Arc> way() throws MigrationException {
            return device.machine().wayTo(target);
        }
    }

    /** A device with the arcs that it has to take. */
    private record Way(Move move, List<Arc> arcs) {
        Device device() {
            return move.device();
        }

        String id() {
            return move.device().id();
        }
    }

    /**
     * Takes each device to its state, from whichever it is in.
     *
     * @param step that the time is counted for
     */
    void go(List<Move> moves, Step step) throws MigrationException {
        List<Way> ways = new ArrayList<>();
        for (Move move : moves) {
            ways.add(new Way(move, move.way()));
        }
        int longest = ways.stream().mapToInt(way -> way.arcs().size()).max().orElse(0);
        for (int i = 0; i < longest; i++) {
            int at = i;
            level(ways.stream().filter(way -> way.arcs().size() > at).toList(), at, step);
        }
    }

    /** The same before the downtime, where the time is not counted. */
    void goUntimed(List<Device> devices, DeviceState target) throws MigrationException {
        go(Move.untimed(devices, target), Step.STOP);
    }

    /**
     * The same with devices that do not hold each other up, once there is no way back, or on it: one that fails stays
     * where it is and the others go on.
     *
     * @return what failed, in order of time
     */
    Map<Device, MigrationException> goEach(List<Move> moves, Step step) throws MigrationException {
        Map<Device, MigrationException> failures = Collections.synchronizedMap(new LinkedHashMap<>());
        List<Way> ways = new ArrayList<>();
        for (Move move : moves) {
            try {
                ways.add(new Way(move, move.way()));
            } catch (MigrationException | RuntimeException | Error e) {
                failures.put(move.device(), Failures.of(e, move.device().id()));
            }
        }
        for (int i = 0; !ways.isEmpty(); i++) {
            int at = i;
            level(ways.stream().filter(way -> way.arcs().size() > at).toList(), at, step, failures::put, crew::runAll);
            ways = ways.stream()
                    .filter(way -> way.arcs().size() > at && !failures.containsKey(way.device()))
                    .toList();
        }
        return failures;
    }

    private void level(List<Way> ways, int at, Step step) throws MigrationException {
        stop.check();
        OnFailure ending = (device, failure) -> {
            throw failure;
        };
        level(ways, at, step, ending, crew::run);
    }

    /** What to do with a device that did not take its arc. */
    @FunctionalInterface
    private interface OnFailure {
        void accept(Device device, MigrationException failure) throws MigrationException;
    }

    /** How the pieces of a level are done. */
    @FunctionalInterface
    private interface Work {
        void run(List<Crew.Piece> pieces) throws MigrationException;
    }

    /** Takes one arc of each way, and tells of each before all of them and after all of them. */
    private void level(List<Way> ways, int at, Step step, OnFailure onFailure, Work work)
            throws MigrationException {
        Map<Device, Optional<MigrationException>> outcomes = new ConcurrentHashMap<>();
        List<Crew.Piece> pieces = new ArrayList<>();
        for (Way way : ways) {
            Arc arc = way.arcs().get(at);
            timeline.arcStarting(way.id(), arc);
            pieces.add(gate -> {
                Optional<MigrationException> failure = take(way, arc, step);
                outcomes.put(way.device(), failure);
                if (failure.isPresent()) {
                    onFailure.accept(way.device(), failure.get());
                }
            });
        }
        try {
            work.run(pieces);
        } catch (MigrationException | RuntimeException | Error e) {
            ways.forEach(way -> outcomes.putIfAbsent(way.device(), Optional.of(Failures.of(e, way.id()))));
            throw e;
        } finally {
            ways.stream()
                    .filter(way -> outcomes.containsKey(way.device()))
                    .forEach(way -> tell(way, way.arcs().get(at), outcomes.get(way.device())));
        }
    }

    /** Answers what was wrong; a defect that one device meets is that device's. */
    private Optional<MigrationException> take(Way way, Arc arc, Step step) {
        try {
            way.move().times().during(step, () -> {
                way.device().machine().take(arc);
                return null;
            });
            // Now, since with more devices than threads others still wait for theirs.
            stop.progress();
            return Optional.empty();
        } catch (MigrationException | RuntimeException | Error e) {
            return Optional.of(Failures.of(e, way.id()));
        }
    }

    private void tell(Way way, Arc arc, Optional<MigrationException> failure) {
        if (failure.isEmpty()) {
            timeline.arcTaken(way.id(), arc);
        } else {
            timeline.arcFailed(way.id(), arc, failure.get().failure());
        }
    }
}
