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
import dev.ferry.device.SessionTicket;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.nio.ByteBuffer;
import java.nio.channels.ClosedChannelException;
import java.time.Duration;
import java.util.Arrays;

/** What every {@link SavingSession} and {@link ResumingSession} does. */
final class SessionContract {

    @FunctionalInterface
    interface Body {
        void run(DriverSubject subject) throws Exception;
    }

    @FunctionalInterface
    interface Adder {
        void add(String name, Body body);
    }

    /** How long a device with nothing else to do may take to give what a session needs. */
    private static final Duration TICKET_WAIT = Duration.ofSeconds(10);

    private final Adder adder;

    SessionContract(Adder adder) {
        this.adder = adder;
    }

    private void add(String name, Body body) {
        adder.add(name, body);
    }

    /** How sessions begin, are read and end. */
    void sessions() {
        add("in STOP_COPY the stream ends, and stays at its end", subject -> {
            Walk walk = new Walk(subject.source()).to(STOP_COPY);
            Demand.that(walk.saving().read(ByteBuffer.allocate(0)) == 0, "no room, no bytes");
            byte[] state = walk.readAll();
            Demand.that(state.length > 0, "a device has a state");
            Demand.that(walk.saving().read(ByteBuffer.allocate(1)) == -1, "the end is for ever");
            Demand.refused("pre-copy information in STOP_COPY", () -> walk.saving().precopyInfo(), Errno.EINVAL);
        });
        add("a read fills a buffer between its position and its limit alone", subject -> {
            Walk walk = new Walk(subject.source()).to(STOP_COPY);
            byte[] bytes = new byte[32];
            Arrays.fill(bytes, (byte) 0x5A);
            ByteBuffer buffer = ByteBuffer.wrap(bytes).position(3).limit(8);
            int count = walk.saving().read(buffer);
            Demand.that(count >= 1 && count <= 5, "read gave %d for 5 bytes of room", count);
            Demand.that(buffer.position() == 3 + count && buffer.limit() == 8, "position and limit are %s", buffer);
            for (int i = 0; i < bytes.length; i++) {
                Demand.that(i >= 3 && i < 8 || bytes[i] == 0x5A, "byte %d outside of the room was written", i);
            }
        });
        add("a session that ended is dead", subject -> {
            Walk walk = new Walk(subject.source()).to(STOP_COPY);
            SavingSession session = walk.saving();
            walk.to(STOP);
            Demand.dead(session);
        });
        add("closing a session changes nothing at the device", subject -> {
            Walk walk = new Walk(subject.source()).to(STOP_COPY);
            Demand.that(walk.saving().isOpen(), "open until closed");
            walk.saving().close();
            walk.saving().close();
            Demand.that(!walk.saving().isOpen(), "closed when closed");
            Demand.state(walk.driver(), STOP_COPY);
            requireClosed("read from", () -> walk.saving().read(ByteBuffer.allocate(1)));
            walk.to(RUNNING);
        });
        add("closing a session that was given a whole state changes nothing at the device", subject -> {
            byte[] state = new Walk(subject.source()).to(STOP_COPY).readAll();
            Walk walk = new Walk(subject.destination()).to(RESUMING);
            walk.writeAll(state, Walk.PIECE_BYTES);
            walk.resuming().close();
            Demand.that(!walk.resuming().isOpen(), "closed when closed");
            Demand.state(walk.driver(), RESUMING);
            requireClosed("written to", () -> walk.resuming().write(ByteBuffer.allocate(1)));
            walk.take(Arc.RESUMING_TO_STOP);
        });
        add("a session that was asked for ahead is opened", subject -> {
            Walk walk = new Walk(subject.source());
            try (SessionTicket ticket = walk.driver().requestSession()) {
                Demand.that(ticket.await(TICKET_WAIT), "not granted within %s", TICKET_WAIT);
                Demand.that(ticket.await(Duration.ZERO), "granted once, granted until closed");
                walk.to(STOP_COPY);
            }
            walk.readAll();
        });
        add("sessions follow one another", subject -> {
            Walk walk = new Walk(subject.source());
            for (int i = 0; i < 3; i++) {
                walk.to(STOP_COPY).readAll();
                walk.to(RUNNING);
            }
        });
    }

    private static void requireClosed(String what, Demand.Call use) throws Exception {
        try {
            use.make();
        } catch (ClosedChannelException e) {
            return;
        }
        throw new AssertionError("a closed session must not be " + what);
    }

    /** For a driver with PRE_COPY. */
    void preCopy() {
        add("in PRE_COPY there is data, then nothing for now, and information on what there is", subject -> {
            Walk walk = new Walk(subject.source()).to(DeviceState.PRE_COPY);
            PrecopyInfo info = walk.saving().precopyInfo();
            Demand.that(info.initialBytes() >= 0 && info.dirtyBytes() >= 0, "sizes are not negative: %s", info);
            ByteBuffer buffer = ByteBuffer.allocate(Walk.PIECE_BYTES);
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
            walk.readAll();
        });
        add("PRE_COPY can be given up at any time", subject -> {
            Walk walk = new Walk(subject.source()).to(DeviceState.PRE_COPY);
            SavingSession session = walk.saving();
            walk.take(Arc.PRE_COPY_TO_RUNNING);
            Demand.dead(session);
            walk.to(DeviceState.PRE_COPY);
        });
    }

    /** What is saved is loaded, whole, or refused. */
    void loading() {
        for (int piece : new int[] {1, 7, Walk.PIECE_BYTES}) {
            add("a saved state is read and loaded in pieces of %d bytes".formatted(piece),
                    subject -> move(subject, piece));
        }
        add("a state that was read from PRE_COPY on is loaded", subject -> {
            Walk source = new Walk(subject.source());
            if (source.driver().features().contains(MigrationFeature.PRE_COPY)) {
                source.to(DeviceState.PRE_COPY);
            }
            move(source, subject.destination(), Walk.PIECE_BYTES);
        });
        add("an incomplete state is refused, and a reset leads out", subject -> {
            byte[] state = new Walk(subject.source()).to(STOP_COPY).readAll();
            Walk walk = new Walk(subject.destination()).to(RESUMING);
            walk.writeAll(Arrays.copyOf(state, state.length - 1), Walk.PIECE_BYTES);
            requireIncomplete(walk.driver());
            Demand.state(walk.driver(), RESUMING);
            walk.driver().reset();
            Demand.state(walk.driver(), RUNNING);
        });
        add("no state at all is refused", subject -> {
            Walk walk = new Walk(subject.destination()).to(RESUMING);
            requireIncomplete(walk.driver());
            Demand.state(walk.driver(), RESUMING);
        });
        add("a loaded session is dead behind RESUMING", subject -> {
            Demand.dead(move(subject, Walk.PIECE_BYTES));
        });
    }

    private static void requireIncomplete(MigrationDriver driver) throws Exception {
        Demand.refused("RESUMING_TO_STOP before all is loaded", () -> driver.step(Arc.RESUMING_TO_STOP), Errno.EINVAL);
    }

    private static ResumingSession move(DriverSubject subject, int pieceBytes) throws Exception {
        return move(new Walk(subject.source()), subject.destination(), pieceBytes);
    }

    /** From wherever the source is to RUNNING at the destination. */
    private static ResumingSession move(Walk source, MigrationDriver target, int pieceBytes) throws Exception {
        byte[] state = source.to(STOP_COPY).readAll(pieceBytes);
        Walk destination = new Walk(target).to(RESUMING);
        destination.writeAll(state, pieceBytes);
        ResumingSession session = destination.resuming();
        destination.take(Arc.RESUMING_TO_STOP);
        destination.to(RUNNING);
        return session;
    }
}
