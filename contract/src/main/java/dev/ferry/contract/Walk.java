// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Deque;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** Walks a driver along its arcs and moves its data; remembers the session that is open. */
final class Walk {
    /** A driver whose session has nothing to say for so many reads in STOP_COPY will never end. */
    private static final int MOST_EMPTY_READS = 1_000;

    private final MigrationDriver driver;
    private DataTransferSession session;

    Walk(MigrationDriver driver) {
        this.driver = driver;
    }

    MigrationDriver driver() {
        return driver;
    }

    /** The arcs that a device with these features has. */
    static List<Arc> arcs(Set<MigrationFeature> features) {
        List<Arc> arcs = new ArrayList<>();
        for (Arc arc : Arc.values()) {
            if (exists(arc, features)) {
                arcs.add(arc);
            }
        }
        return arcs;
    }

    private static boolean exists(Arc arc, Set<MigrationFeature> features) {
        boolean throughP2p = features.contains(MigrationFeature.P2P)
                && (arc == Arc.STOP_TO_RUNNING || arc == Arc.RUNNING_TO_STOP || arc == Arc.PRE_COPY_TO_STOP_COPY);
        return arc.from().isSupportedBy(features) && arc.to().isSupportedBy(features) && !throughP2p;
    }

    /** Takes one arc and checks what the contract says of every arc that is taken. */
    Optional<DataTransferSession> take(Arc arc) throws DeviceException {
        Optional<DataTransferSession> opened = driver.step(arc);
        Demand.state(driver, arc.to());
        switch (arc.sessionEffect()) {
            case OPENS_SAVING -> Demand.that(
                    opened.isPresent() && opened.get() instanceof SavingSession, "%s must open a saving session", arc);
            case OPENS_RESUMING -> Demand.that(
                    opened.isPresent() && opened.get() instanceof ResumingSession,
                    "%s must open a resuming session",
                    arc);
            case NONE, CONTINUES, ENDS -> Demand.that(opened.isEmpty(), "%s must open no session", arc);
        }
        session = opened.orElse(session);
        return opened;
    }

    /** Goes from RUNNING to a state on a shortest way, not through RESUMING. */
    Walk to(DeviceState target) throws DeviceException {
        for (Arc arc : way(driver.state(), target)) {
            take(arc);
        }
        return this;
    }

    private List<Arc> way(DeviceState from, DeviceState target) {
        Map<DeviceState, Arc> reachedBy = new EnumMap<>(DeviceState.class);
        Deque<DeviceState> open = new ArrayDeque<>(List.of(from));
        while (!open.isEmpty() && !reachedBy.containsKey(target) && from != target) {
            DeviceState state = open.removeFirst();
            for (Arc arc : arcs(driver.features())) {
                boolean fits = arc.from() == state && arc.from() != DeviceState.RESUMING && arc.to() != from;
                if (fits && reachedBy.putIfAbsent(arc.to(), arc) == null) {
                    open.addLast(arc.to());
                }
            }
        }
        List<Arc> way = new ArrayList<>();
        for (DeviceState at = target; at != from; at = way.get(way.size() - 1).from()) {
            way.add(reachedBy.get(at));
        }
        Collections.reverse(way);
        return way;
    }

    SavingSession saving() {
        return (SavingSession) session;
    }

    ResumingSession resuming() {
        return (ResumingSession) session;
    }

    /** Reads to the end of the stream, which must come. */
    byte[] readAll(ByteBuffer buffer) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        int empty = 0;
        while (true) {
            buffer.clear();
            int count = saving().read(buffer);
            if (count < 0) {
                return all.toByteArray();
            }
            Demand.that(count == buffer.position(), "read gave %d and put %d bytes", count, buffer.position());
            empty = count == 0 ? empty + 1 : 0;
            Demand.that(empty < MOST_EMPTY_READS, "a session in STOP_COPY must come to its end");
            byte[] piece = new byte[count];
            buffer.flip().get(piece);
            all.write(piece);
        }
    }

    /** Writes in pieces of a size; each must be taken whole. */
    void writeAll(byte[] state, int pieceBytes) throws IOException {
        for (int at = 0; at < state.length; at += pieceBytes) {
            int count = Math.min(pieceBytes, state.length - at);
            int taken = resuming().write(ByteBuffer.wrap(state, at, count));
            Demand.that(taken == count, "write took %d of %d bytes", taken, count);
        }
    }
}
