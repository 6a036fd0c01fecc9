// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.DeviceProfile;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.device.SessionTicket;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;

/**
 * A device in memory whose whole state is a piece of text. It follows the script that a test writes, and notes every
 * breach of the rules that a driver may rely on. A saved state is the text; one that does not begin with "text:" is
 * refused.
 */
public final class ScriptedDriver implements MigrationDriver {

    /** What a reset leaves. */
    public static final String FRESH = "text:fresh";

    /** What happens on an arc; throws to fail it. */
    @FunctionalInterface
    public interface Step {
        /** Runs before the device moves. */
        void run() throws DeviceException;
    }

    public final String id;
    private final Set<MigrationFeature> features;
    private final Map<Arc, Step> script = new EnumMap<>(Arc.class);
    private final AtomicInteger callers = new AtomicInteger();
    public final List<Arc> arcs = new CopyOnWriteArrayList<>();
    public final List<String> breaches = new CopyOnWriteArrayList<>();
    public final AtomicInteger resets = new AtomicInteger();
    public volatile DeviceState state = DeviceState.RUNNING;
    public volatile String text;
    public volatile Step onReset = () -> {};
    public volatile Step onState = () -> {};
    public volatile Step onRead = () -> {};
    public volatile Step onWrite = () -> {};
    public volatile Step onClose = () -> {};
    public volatile int preCopyBytes = 3;
    public volatile long endlessDirtyBytes;

    /** Whether what was read while it ran is not counted in the size of its state any more. */
    public volatile boolean incremental;

    public volatile long endlessInitialBytes;
    public volatile boolean gone;
    public volatile DataTransferSession extraSession;
    public volatile Step onProfile = () -> {};
    public volatile DeviceProfile profile;
    public volatile TicketPool tickets;
    private volatile Session open;

    public ScriptedDriver(String id, Set<MigrationFeature> features, String text) {
        this.id = id;
        this.features = features;
        this.text = text;
    }

    /** The next time on this arc. */
    public void once(Arc arc, Step step) {
        on(arc, () -> {
            script.remove(arc);
            step.run();
        });
    }

    /** Each time on this arc. */
    public void on(Arc arc, Step step) {
        script.put(arc, step);
    }

    /** From now on it announces five bytes of initial data each time, and has nothing to read. */
    public void announceAndGiveNothing() {
        preCopyBytes = 0;
        endlessInitialBytes = 5;
    }

    public boolean hasOpenSession() {
        return open != null && !open.closed;
    }

    @Override
    public Set<MigrationFeature> features() {
        return features;
    }

    @Override
    public DeviceState state() throws DeviceException {
        called();
        onState.run();
        return state;
    }

    @Override
    public Optional<DataTransferSession> step(Arc arc) throws DeviceException {
        return alone(() -> {
            if (arc.from() != state || !arc.to().isSupportedBy(features)) {
                breaches.add(arc + " in " + state);
                throw new DeviceException(Errno.EINVAL, "not from here");
            }
            arcs.add(arc);
            Step step = script.get(arc);
            if (step != null) {
                step.run();
            }
            return move(arc);
        });
    }

    private Optional<DataTransferSession> move(Arc arc) throws DeviceException {
        Optional<DataTransferSession> opened = Optional.ofNullable(extraSession);
        if (arc == Arc.RESUMING_TO_STOP) {
            String loaded = open.loaded.toString(StandardCharsets.UTF_8);
            if (!loaded.startsWith("text:")) {
                throw new DeviceException(Errno.EINVAL, "this is no text");
            }
            text = loaded;
        }
        state = arc.to();
        if (!state.hasSession()) {
            kill();
        } else if (arc.sessionEffect() != Arc.SessionEffect.CONTINUES) {
            open = new Session(text.getBytes(StandardCharsets.UTF_8));
            opened = Optional.of(state == DeviceState.RESUMING ? new Resuming(open) : new Saving(open));
        }
        return opened;
    }

    @Override
    public SessionTicket requestSession() throws DeviceException {
        called();
        return tickets == null ? SessionTicket.GRANTED : tickets.request();
    }

    @Override
    public Optional<DeviceProfile> profile() throws DeviceException {
        called();
        onProfile.run();
        return Optional.ofNullable(profile);
    }

    @Override
    public long stopCopySize() {
        Session now = open;
        return incremental && now != null ? text.length() - now.position : text.length();
    }

    @Override
    public void reset() throws DeviceException {
        called();
        onReset.run();
        resets.incrementAndGet();
        kill();
        state = DeviceState.RUNNING;
        text = FRESH;
    }

    private void kill() {
        if (open != null) {
            open.dead = true;
        }
    }

    private void called() {
        if (gone) {
            breaches.add("called after it left");
        }
    }

    private interface Action<T> {
        T run() throws DeviceException;
    }

    private <T> T alone(Action<T> action) throws DeviceException {
        called();
        if (callers.incrementAndGet() != 1) {
            breaches.add("two calls at a time");
        }
        try {
            return action.run();
        } finally {
            callers.decrementAndGet();
        }
    }

    private static final class Session {
        final byte[] bytes;
        final ByteArrayOutputStream loaded = new ByteArrayOutputStream();
        int position;
        boolean dead;
        boolean closed;

        Session(byte[] bytes) {
            this.bytes = bytes;
        }
    }

    private final class Saving implements SavingSession {
        private final Session session;

        Saving(Session session) {
            this.session = session;
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            return alone(() -> {
                onRead.run();
                requireAlive(session);
                int end = state == DeviceState.STOP_COPY ? session.bytes.length : runningEnd();
                int bytes = Math.min(into.remaining(), end - session.position);
                into.put(session.bytes, session.position, bytes);
                session.position += bytes;
                return bytes == 0 && state == DeviceState.STOP_COPY ? -1 : bytes;
            });
        }

        /** A device that changes all the time has one more byte for each read. */
        private int runningEnd() {
            return endlessDirtyBytes > 0
                    ? Math.min(Math.max(preCopyEnd(), session.position + 1), session.bytes.length - 1)
                    : preCopyEnd();
        }

        private int preCopyEnd() {
            return Math.min(preCopyBytes, session.bytes.length);
        }

        @Override
        public PrecopyInfo precopyInfo() throws DeviceException {
            return alone(() -> {
                requireAlive(session);
                long initial = Math.max(endlessInitialBytes, preCopyEnd() - session.position);
                return new PrecopyInfo(initial, endlessDirtyBytes, false);
            });
        }

        @Override
        public boolean isOpen() {
            return !session.closed;
        }

        @Override
        public void close() throws IOException {
            closeSession(session);
        }
    }

    private final class Resuming implements ResumingSession {
        private final Session session;

        Resuming(Session session) {
            this.session = session;
        }

        @Override
        public int write(ByteBuffer from) throws IOException {
            return alone(() -> {
                onWrite.run();
                requireAlive(session);
                byte[] taken = new byte[from.remaining()];
                from.get(taken);
                session.loaded.writeBytes(taken);
                return taken.length;
            });
        }

        @Override
        public boolean isOpen() {
            return !session.closed;
        }

        @Override
        public void close() throws IOException {
            closeSession(session);
        }
    }

    private void closeSession(Session session) throws IOException {
        called();
        session.closed = true;
        onClose.run();
    }

    private static void requireAlive(Session session) throws DeviceException {
        if (session.dead || session.closed) {
            throw new DeviceException(Errno.ENODEV, "the session is dead");
        }
    }
}
