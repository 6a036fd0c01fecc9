// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import static dev.ferry.fsm.DeviceState.RESUMING;
import static dev.ferry.fsm.DeviceState.RUNNING;
import static dev.ferry.fsm.DeviceState.STOP;
import static dev.ferry.fsm.DeviceState.STOP_COPY;

import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Set;

/**
 * What every {@link MigrationDriver} does, as checks that run one after the other, each on a subject of its own.
 *
 * <p>With JUnit:
 *
 * <pre>{@code
 * @TestFactory
 * Stream<DynamicTest> contract() {
 *     return new DriverContract(MySubject::new).checks().stream()
 *             .map(check -> DynamicTest.dynamicTest(check.name(), check::run));
 * }
 * }</pre>
 */
public final class DriverContract {

    /** Makes the devices of one check. */
    @FunctionalInterface
    public interface Subjects {
        /** Two fresh devices. */
        DriverSubject open() throws Exception;
    }

    @FunctionalInterface
    private interface Body {
        void run(DriverSubject subject) throws Exception;
    }

    private static final int PIECE_BYTES = 64 << 10;

    private final Subjects subjects;
    private final List<Check> checks = new ArrayList<>();

    /** A contract for the devices that a vendor makes. */
    public DriverContract(Subjects subjects) {
        this.subjects = subjects;
    }

    /** All checks that the features of the device make possible; opens one subject to know them. */
    public List<Check> checks() throws Exception {
        Set<MigrationFeature> features;
        try (DriverSubject subject = subjects.open()) {
            features = Set.copyOf(subject.source().features());
        }
        checks.clear();
        beginning();
        Walk.arcs(features).forEach(this::arc);
        for (DeviceState state : DeviceState.values()) {
            if (state.isSupportedBy(features)) {
                inState(state);
            }
        }
        sessions();
        if (features.contains(MigrationFeature.PRE_COPY)) {
            preCopy();
        }
        loading();
        new TrackerContract((name, body) -> add(name, subject -> body.run(subject.source()))).checks();
        return List.copyOf(checks);
    }

    private void add(String name, Body body) {
        checks.add(new Check(name, () -> {
            try (DriverSubject subject = subjects.open()) {
                body.run(subject);
            }
        }));
    }

    private void beginning() {
        add("a device begins in RUNNING and offers STOP_COPY", subject -> {
            Demand.state(subject.source(), RUNNING);
            Demand.that(subject.source().features().contains(MigrationFeature.STOP_COPY), "STOP_COPY is mandatory");
            Demand.that(subject.source().features().equals(subject.source().features()), "features never change");
        });
        add("the size in STOP_COPY is an estimate in any state", subject -> {
            Walk walk = new Walk(subject.source());
            Demand.that(walk.driver().stopCopySize() >= 0, "a size is not negative");
            walk.to(STOP_COPY);
            Demand.that(walk.driver().stopCopySize() >= 0, "a size is not negative");
        });
    }

    private void arc(Arc arc) {
        add(arc + " leads to " + arc.to(), subject -> {
            Walk walk = new Walk(subject.source());
            if (arc == Arc.RESUMING_TO_STOP) {
                byte[] state = new Walk(subject.destination()).to(STOP_COPY).readAll(ByteBuffer.allocate(PIECE_BYTES));
                walk.to(RESUMING).writeAll(state, PIECE_BYTES);
            }
            walk.to(arc.from()).take(arc);
        });
    }

    private void inState(DeviceState state) {
        add("in " + state + " an arc that begins elsewhere, or does not exist, is refused and changes nothing",
                subject -> {
            Walk walk = new Walk(subject.source()).to(state);
            List<Arc> possible = Walk.arcs(walk.driver().features());
            for (Arc arc : Arc.values()) {
                if (arc.from() != state || !possible.contains(arc)) {
                    Demand.refused(() -> walk.driver().step(arc), Errno.EINVAL, Errno.EOPNOTSUPP);
                    Demand.state(walk.driver(), state);
                }
            }
        });
        add("a reset in " + state + " leads to RUNNING, and the device can be used", subject -> {
            Walk walk = new Walk(subject.source()).to(state);
            walk.driver().reset();
            Demand.state(walk.driver(), RUNNING);
            if (state.isSaving()) {
                Demand.refused(() -> walk.saving().read(ByteBuffer.allocate(1)), Errno.ENODEV);
            } else if (state == RESUMING) {
                Demand.refused(() -> walk.resuming().write(ByteBuffer.allocate(1)), Errno.ENODEV);
            }
            walk.to(STOP_COPY).readAll(ByteBuffer.allocate(PIECE_BYTES));
        });
    }

    private void sessions() {
        add("in STOP_COPY the stream ends, and stays at its end", subject -> {
            Walk walk = new Walk(subject.source()).to(STOP_COPY);
            Demand.that(walk.saving().read(ByteBuffer.allocate(0)) == 0, "no room, no bytes");
            byte[] state = walk.readAll(ByteBuffer.allocate(PIECE_BYTES));
            Demand.that(state.length > 0, "a device has a state");
            Demand.that(walk.saving().read(ByteBuffer.allocate(1)) == -1, "the end is for ever");
            Demand.refused(() -> walk.saving().precopyInfo(), Errno.EINVAL);
        });
        add("a session that ended is dead", subject -> {
            Walk walk = new Walk(subject.source()).to(STOP_COPY);
            SavingSession session = walk.saving();
            walk.to(STOP);
            Demand.refused(() -> session.read(ByteBuffer.allocate(1)), Errno.ENODEV);
        });
        add("closing a session changes nothing at the device", subject -> {
            Walk walk = new Walk(subject.source()).to(STOP_COPY);
            Demand.that(walk.saving().isOpen(), "open until closed");
            walk.saving().close();
            walk.saving().close();
            Demand.that(!walk.saving().isOpen(), "closed when closed");
            Demand.state(walk.driver(), STOP_COPY);
            requireClosed(walk.saving());
            walk.to(RUNNING);
        });
        add("sessions follow one another", subject -> {
            Walk walk = new Walk(subject.source());
            for (int i = 0; i < 3; i++) {
                walk.to(STOP_COPY).readAll(ByteBuffer.allocate(PIECE_BYTES));
                walk.to(RUNNING);
            }
        });
    }

    private static void requireClosed(SavingSession session) throws Exception {
        try {
            session.read(ByteBuffer.allocate(1));
        } catch (ClosedChannelException e) {
            return;
        }
        throw new AssertionError("a closed session must not be read from");
    }

    private void preCopy() {
        add("in PRE_COPY there is data, then nothing for now, and information on what there is", subject -> {
            Walk walk = new Walk(subject.source()).to(DeviceState.PRE_COPY);
            PrecopyInfo info = walk.saving().precopyInfo();
            Demand.that(info.initialBytes() >= 0 && info.dirtyBytes() >= 0, "sizes are not negative: %s", info);
            ByteBuffer buffer = ByteBuffer.allocate(PIECE_BYTES);
            for (int i = 0; i < 1_000 && walk.saving().read(buffer.clear()) > 0; i++) {
                Demand.state(walk.driver(), DeviceState.PRE_COPY);
            }
            Demand.that(walk.saving().read(buffer.clear()) >= 0, "a stream does not end in PRE_COPY");
        });
        add("a session goes on from PRE_COPY to its end in STOP_COPY", subject -> {
            Walk walk = new Walk(subject.source()).to(DeviceState.PRE_COPY);
            SavingSession session = walk.saving();
            walk.to(STOP_COPY);
            Demand.that(walk.saving() == session, "the session continues");
            walk.readAll(ByteBuffer.allocate(PIECE_BYTES));
        });
        add("PRE_COPY can be given up at any time", subject -> {
            Walk walk = new Walk(subject.source()).to(DeviceState.PRE_COPY);
            SavingSession session = walk.saving();
            walk.take(Arc.PRE_COPY_TO_RUNNING);
            Demand.refused(() -> session.read(ByteBuffer.allocate(1)), Errno.ENODEV);
            walk.to(DeviceState.PRE_COPY);
        });
    }

    private void loading() {
        for (int piece : new int[] {1, 7, PIECE_BYTES}) {
            add("a saved state is loaded from pieces of %d bytes".formatted(piece), subject -> move(subject, piece));
        }
        add("a state that was read from PRE_COPY on is loaded", subject -> {
            Walk source = new Walk(subject.source());
            if (source.driver().features().contains(MigrationFeature.PRE_COPY)) {
                source.to(DeviceState.PRE_COPY);
            }
            move(source, subject.destination(), PIECE_BYTES);
        });
        add("an incomplete state is refused, and a reset leads out", subject -> {
            byte[] state = new Walk(subject.source()).to(STOP_COPY).readAll(ByteBuffer.allocate(PIECE_BYTES));
            Walk walk = new Walk(subject.destination()).to(RESUMING);
            walk.writeAll(Arrays.copyOf(state, state.length - 1), PIECE_BYTES);
            Demand.refused(() -> walk.driver().step(Arc.RESUMING_TO_STOP), Errno.EINVAL);
            Demand.state(walk.driver(), RESUMING);
            walk.driver().reset();
            Demand.state(walk.driver(), RUNNING);
        });
        add("no state at all is refused", subject -> {
            Walk walk = new Walk(subject.destination()).to(RESUMING);
            Demand.refused(() -> walk.driver().step(Arc.RESUMING_TO_STOP), Errno.EINVAL);
            Demand.state(walk.driver(), RESUMING);
        });
        add("a loaded session is dead behind RESUMING", subject -> {
            ResumingSession session = move(subject, PIECE_BYTES);
            Demand.refused(() -> session.write(ByteBuffer.allocate(1)), Errno.ENODEV);
        });
    }

    private static ResumingSession move(DriverSubject subject, int pieceBytes) throws Exception {
        return move(new Walk(subject.source()), subject.destination(), pieceBytes);
    }

    /** From wherever the source is to RUNNING at the destination. */
    private static ResumingSession move(Walk source, MigrationDriver target, int pieceBytes) throws Exception {
        byte[] state = source.to(STOP_COPY).readAll(ByteBuffer.allocateDirect(PIECE_BYTES));
        Walk destination = new Walk(target).to(RESUMING);
        destination.writeAll(state, pieceBytes);
        ResumingSession session = destination.resuming();
        destination.take(Arc.RESUMING_TO_STOP);
        destination.to(RUNNING);
        return session;
    }
}
