// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.DeviceProfile;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.device.SessionTicket;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.Map;
import java.util.Optional;
import java.util.Set;

/** A scripted driver whose calls can be watched, failed, slowed down or cut short, and which tracks its writes. */
public final class LiveDriver implements MigrationDriver {

    /** Sees each call before it is made. */
    @FunctionalInterface
    public interface Interceptor {
        Interceptor NONE = (device, call) -> {};

        /** Throws to fail the call; {@link Short} makes it do only a part of its work, where it has parts. */
        void call(String device, String call) throws DeviceException;

        /** Sees each step once it was taken; throws to fail it all the same. */
        default void taken(String device, Arc arc) throws DeviceException {}

        /** As {@link #call}, for calls that have no checked exception. */
        default void callUnchecked(String device, String call) {
            try {
                call(device, call);
            } catch (DeviceException e) {
                throw new IllegalStateException(e.getMessage(), e);
            }
        }

        /** Whether the call is to do only a part of its work. */
        default boolean cutsShort(String device, String call) throws DeviceException {
            try {
                call(device, call);
                return false;
            } catch (Short e) {
                return true;
            }
        }
    }

    /** Asks a call to do only a part of its work. */
    public static final class Short extends DeviceException {
        private static final long serialVersionUID = 1L;

        /** Calls that can do a part of their work. */
        public static final Set<String> CALLS =
                Set.of("read", "write", "memory read", "memory write", "view", "stopCopySize");

        public Short() {
            super(dev.ferry.device.Errno.EIO, "only a part");
        }
    }

    public final ScriptedDriver device;
    public final FakeTracker tracker;
    public volatile Interceptor interceptor = Interceptor.NONE;
    public volatile boolean tracked = true;
    public volatile int readLimit = Integer.MAX_VALUE;
    public volatile boolean announces;

    /** What reads answer in some states instead of giving data. */
    public volatile Map<DeviceState, Integer> readAnswers = Map.of();

    /** Answers of the pre-copy question instead of the device's own, while there are some. */
    public final java.util.Queue<PrecopyInfo> answers = new java.util.concurrent.ConcurrentLinkedQueue<>();

    public LiveDriver(String id, Set<MigrationFeature> features, String text) {
        device = new ScriptedDriver(id, features, text);
        tracker = new FakeTracker(id);
    }

    @Override
    public Set<MigrationFeature> features() {
        return device.features();
    }

    @Override
    public DeviceState state() throws DeviceException {
        interceptor.call(device.id, "state");
        return device.state();
    }

    @Override
    public Optional<DataTransferSession> step(Arc arc) throws DeviceException {
        interceptor.call(device.id, arc.name());
        Optional<DataTransferSession> opened = device.step(arc).map(this::wrap);
        interceptor.taken(device.id, arc);
        return opened;
    }

    private DataTransferSession wrap(DataTransferSession session) {
        if (session instanceof SavingSession saving) {
            return new Saving(saving);
        }
        return new Resuming((ResumingSession) session);
    }

    @Override
    public long stopCopySize() throws DeviceException {
        return interceptor.cutsShort(device.id, "stopCopySize") ? 1 : device.stopCopySize();
    }

    @Override
    public void reset() throws DeviceException {
        interceptor.call(device.id, "reset");
        device.reset();
    }

    @Override
    public SessionTicket requestSession() throws DeviceException {
        interceptor.call(device.id, "requestSession");
        SessionTicket ticket = device.requestSession();
        return new SessionTicket() {
            @Override
            public boolean await(Duration atMost) throws DeviceException {
                interceptor.call(device.id, "ticket await");
                return ticket.await(atMost);
            }

            @Override
            public void close() {
                ticket.close();
            }
        };
    }

    @Override
    public Optional<DeviceProfile> profile() throws DeviceException {
        interceptor.call(device.id, "profile");
        return device.profile();
    }

    @Override
    public Optional<DirtyTracker> dirtyTracker() {
        interceptor.callUnchecked(device.id, "dirtyTracker");
        return tracked ? Optional.of(tracker) : Optional.empty();
    }

    private final class Saving implements SavingSession {
        private final SavingSession session;

        Saving(SavingSession session) {
            this.session = session;
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            Integer answer = readAnswers.get(device.state);
            if (answer != null) {
                return answer;
            }
            int most = interceptor.cutsShort(device.id, "read") ? 1 : readLimit;
            int limit = into.limit();
            into.limit((int) Math.min(limit, into.position() + (long) most));
            try {
                return session.read(into);
            } finally {
                into.limit(limit);
            }
        }

        @Override
        public PrecopyInfo precopyInfo() throws DeviceException {
            interceptor.call(device.id, "precopyInfo");
            PrecopyInfo scripted = answers.poll();
            return scripted != null ? scripted : session.precopyInfo();
        }

        @Override
        public boolean announcesReinitialization() {
            interceptor.callUnchecked(device.id, "announcesReinitialization");
            return announces;
        }

        @Override
        public boolean isOpen() {
            return session.isOpen();
        }

        @Override
        public void close() throws IOException {
            try {
                interceptor.call(device.id, "close");
            } finally {
                session.close();
            }
        }
    }

    private final class Resuming implements ResumingSession {
        private final ResumingSession session;

        Resuming(ResumingSession session) {
            this.session = session;
        }

        @Override
        public int write(ByteBuffer from) throws IOException {
            if (!interceptor.cutsShort(device.id, "write")) {
                return session.write(from);
            }
            int limit = from.limit();
            from.limit(limit - 1);
            try {
                return session.write(from);
            } finally {
                from.limit(limit);
            }
        }

        @Override
        public boolean isOpen() {
            return session.isOpen();
        }

        @Override
        public void close() throws IOException {
            try {
                interceptor.call(device.id, "close");
            } finally {
                session.close();
            }
        }
    }
}
