// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.Set;

/** A scripted driver whose calls can be watched, failed, slowed down or cut short, and which tracks its writes. */
public final class LiveDriver implements MigrationDriver {

    /** Sees each call before it is made. */
    @FunctionalInterface
    public interface Interceptor {
        Interceptor NONE = (device, call) -> {};

        /** Throws to fail the call. */
        void call(String device, String call) throws DeviceException;
    }

    public final ScriptedDriver device;
    public final FakeTracker tracker;
    public volatile Interceptor interceptor = Interceptor.NONE;
    public volatile boolean tracked = true;
    public volatile int readLimit = Integer.MAX_VALUE;
    public volatile boolean announces;

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
        return device.step(arc).map(this::wrap);
    }

    private DataTransferSession wrap(DataTransferSession session) {
        if (session instanceof SavingSession saving) {
            return new Saving(saving);
        }
        return new Resuming((ResumingSession) session);
    }

    @Override
    public long stopCopySize() throws DeviceException {
        interceptor.call(device.id, "stopCopySize");
        return device.stopCopySize();
    }

    @Override
    public void reset() throws DeviceException {
        interceptor.call(device.id, "reset");
        device.reset();
    }

    @Override
    public Optional<DirtyTracker> dirtyTracker() {
        return tracked ? Optional.of(tracker) : Optional.empty();
    }

    private final class Saving implements SavingSession {
        private final SavingSession session;

        Saving(SavingSession session) {
            this.session = session;
        }

        @Override
        public int read(ByteBuffer into) throws IOException {
            interceptor.call(device.id, "read");
            int limit = into.limit();
            into.limit((int) Math.min(limit, into.position() + (long) readLimit));
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
            interceptor.call(device.id, "write");
            return session.write(from);
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
