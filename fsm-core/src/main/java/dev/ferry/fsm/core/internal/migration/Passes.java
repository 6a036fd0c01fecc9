// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.core.internal.device.Device;
import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.fsm.core.internal.device.TimeSource;
import dev.ferry.migration.DowntimeStep.Step;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;

/**
 * Takes several devices to a state together: each arc is taken by all of them, at the same time, before the next one
 * is. So no device starts peer-to-peer DMA towards one that has stopped. Confined to the thread of the migration.
 */
final class Passes {

    private final Crew crew;
    private final Timeline timeline;
    private final Gate stop;

    Passes(Crew crew, Timeline timeline, Gate stop) {
        this.crew = crew;
        this.timeline = timeline;
        this.stop = stop;
    }

    /** One device that moves, and where the time it takes is counted. */
    record Move(Device device, StepTimes times) {
        static Move untimed(Device device) {
            return new Move(device, new StepTimes(TimeSource.SYSTEM));
        }

        static List<Move> sources(List<DeviceEnds> devices) {
            return devices.stream()
                    .map(ends -> new Move(ends.source(), ends.times()))
                    .toList();
        }

        static List<Move> destinations(List<DeviceEnds> devices) {
            return devices.stream()
                    .map(ends -> new Move(ends.destination(), ends.times()))
                    .toList();
        }
    }

    /** A device with the arcs that it has to take. */
    private record Way(Move move, List<Arc> arcs) {}

    /**
     * Takes all devices to a state, from whichever each is in.
     *
     * @param step that the time is counted for
     */
    void go(List<Move> moves, DeviceState target, Step step) throws MigrationException {
        List<Way> ways = new ArrayList<>();
        for (Move move : moves) {
            ways.add(new Way(move, move.device().machine().wayTo(target)));
        }
        int longest = ways.stream().mapToInt(way -> way.arcs().size()).max().orElse(0);
        for (int i = 0; i < longest; i++) {
            int at = i;
            level(ways.stream().filter(way -> way.arcs().size() > at).toList(), at, step);
        }
    }

    /** The same before the downtime, where the time is not counted. */
    void goUntimed(List<Device> devices, DeviceState target) throws MigrationException {
        go(devices.stream().map(Move::untimed).toList(), target, Step.STOP);
    }

    /**
     * The same with devices that do not hold each other up, once there is no way back: one that fails stays where it is
     * and the others go on.
     *
     * @return what failed, in order
     */
    List<MigrationException> goEach(List<Move> moves, DeviceState target, Step step) throws MigrationException {
        List<MigrationException> failures = Collections.synchronizedList(new ArrayList<>());
        List<Way> ways = new ArrayList<>();
        for (Move move : moves) {
            try {
                ways.add(new Way(move, move.device().machine().wayTo(target)));
            } catch (MigrationException e) {
                failures.add(e);
            }
        }
        for (int i = 0; !ways.isEmpty(); i++) {
            int at = i;
            ways = ways.stream().filter(way -> way.arcs().size() > at).toList();
            ways = level(ways, at, step, failures::add);
        }
        return List.copyOf(failures);
    }

    private void level(List<Way> ways, int at, Step step) throws MigrationException {
        stop.check();
        level(ways, at, step, failure -> {
            throw failure;
        });
    }

    /** What to do with a device that did not take its arc. */
    @FunctionalInterface
    private interface OnFailure {
        void accept(MigrationException failure) throws MigrationException;
    }

    /** Takes one arc of each way and answers the ways on which that worked. */
    private List<Way> level(List<Way> ways, int at, Step step, OnFailure onFailure) throws MigrationException {
        ways.forEach(way -> timeline.arcStarting(way.move().device().id(), way.arcs().get(at)));
        Set<Device> taken = ConcurrentHashMap.newKeySet();
        List<Crew.Piece> pieces = new ArrayList<>();
        for (Way way : ways) {
            pieces.add(gate -> {
                try {
                    take(way.move(), way.arcs().get(at), step);
                    taken.add(way.move().device());
                } catch (MigrationException e) {
                    onFailure.accept(e);
                } catch (RuntimeException | Error e) {
                    onFailure.accept(new MigrationException(Failures.of(e), e));
                }
            });
        }
        List<Way> done = new ArrayList<>();
        try {
            crew.run(pieces);
        } finally {
            for (Way way : ways) {
                if (taken.contains(way.move().device())) {
                    done.add(way);
                    timeline.arcTaken(way.move().device().id(), way.arcs().get(at));
                }
            }
        }
        return done;
    }

    private static void take(Move move, Arc arc, Step step) throws MigrationException {
        move.times().during(step, () -> {
            move.device().machine().take(arc);
            return null;
        });
    }
}
