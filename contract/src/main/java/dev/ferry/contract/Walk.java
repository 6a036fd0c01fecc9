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
    /** What data are moved with where their segmentation is not the point. */
    static final int PIECE_BYTES = 64 << 10;

    /** So many bytes are moved in smaller pieces, the others not: a large state would take too long. */
    private static final int FINE_BYTES = 4 << 10;

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
            if (arc.isSupportedBy(features)) {
                arcs.add(arc);
            }
        }
        return arcs;
    }

    /** Takes one arc and checks what the contract says of every arc that is taken. */
    Optional<DataTransferSession> take(Arc arc) throws DeviceException {
        Optional<DataTransferSession> opened = driver.step(arc);
        Demand.that(opened != null, "%s gave null instead of an Optional", arc);
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
            Arc arc = reachedBy.get(at);
            Demand.that(arc != null, "a device with the features %s in %s has no way to %s",
                    driver.features(), from, target);
            way.add(arc);
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

    byte[] readAll() throws IOException {
        return readAll(PIECE_BYTES);
    }

    /** Reads to the end of the stream in STOP_COPY, which must come; first in pieces of a size. */
    byte[] readAll(int pieceBytes) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        ByteBuffer buffer = ByteBuffer.allocateDirect(PIECE_BYTES);
        while (true) {
            buffer.clear().limit(pieceAt(all.size(), pieceBytes));
            int count = saving().read(buffer);
            if (count < 0) {
                return all.toByteArray();
            }
            Demand.that(count > 0, "in STOP_COPY there are bytes or the end, never nothing for now");
            Demand.that(count == buffer.position(), "read gave %d and put %d bytes", count, buffer.position());
            byte[] piece = new byte[count];
            buffer.flip().get(piece);
            all.write(piece);
        }
    }

    /** Writes a state, first in pieces of a size; each must be taken whole. */
    void writeAll(byte[] state, int pieceBytes) throws IOException {
        for (int at = 0; at < state.length; ) {
            ByteBuffer piece = ByteBuffer.wrap(state, at, Math.min(pieceAt(at, pieceBytes), state.length - at));
            int count = piece.remaining();
            int taken = resuming().write(piece);
            Demand.that(taken == count && !piece.hasRemaining(),
                    "write took %d of %d bytes and left %d", taken, count, piece.remaining());
            at += count;
        }
    }

    private static int pieceAt(int at, int pieceBytes) {
        return at < FINE_BYTES ? pieceBytes : PIECE_BYTES;
    }
}
