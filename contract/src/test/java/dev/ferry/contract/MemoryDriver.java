// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;

/** A device that is nothing but a driver, with all features, that does everything right. */
final class MemoryDriver implements MigrationDriver {

    /** More than is moved in small pieces. */
    static final int STATE_BYTES = 6 << 10;

    /** The arcs of devices that have no P2P states. */
    static final Set<Arc> WITHOUT_P2P =
            Set.of(Arc.STOP_TO_RUNNING, Arc.RUNNING_TO_STOP, Arc.PRE_COPY_TO_STOP_COPY);

    private final DirtyTracker tracker = new MemoryTracker();
    private DeviceState state = DeviceState.RUNNING;
    private MemorySaving saving;
    private MemoryResuming resuming;

    @Override
    public Set<MigrationFeature> features() {
        return EnumSet.allOf(MigrationFeature.class);
    }

    @Override
    public DeviceState state() {
        return state;
    }

    @Override
    public Optional<DataTransferSession> step(Arc arc) throws DeviceException {
        if (arc.from() != state || WITHOUT_P2P.contains(arc)) {
            throw new DeviceException(Errno.EINVAL, "%s in %s".formatted(arc, state));
        }
        Optional<DataTransferSession> opened = perform(arc);
        state = arc.to();
        return opened;
    }

    private Optional<DataTransferSession> perform(Arc arc) throws DeviceException {
        return switch (arc.sessionEffect()) {
            case NONE -> Optional.empty();
            case OPENS_SAVING -> {
                saving = new MemorySaving(this::state);
                saving.capture(arc.to() == DeviceState.STOP_COPY);
                yield Optional.of(saving);
            }
            case OPENS_RESUMING -> {
                resuming = new MemoryResuming();
                yield Optional.of(resuming);
            }
            case CONTINUES -> {
                if (arc.to() == DeviceState.STOP_COPY) {
                    saving.capture(true);
                }
                yield Optional.empty();
            }
            case ENDS -> {
                if (arc == Arc.RESUMING_TO_STOP) {
                    resuming.requireComplete();
                }
                endSessions();
                yield Optional.empty();
            }
        };
    }

    private void endSessions() {
        if (saving != null) {
            saving.die();
        }
        if (resuming != null) {
            resuming.die();
        }
    }

    @Override
    public long stopCopySize() {
        return STATE_BYTES;
    }

    @Override
    public void reset() {
        endSessions();
        state = DeviceState.RUNNING;
    }

    @Override
    public Optional<DirtyTracker> dirtyTracker() {
        return Optional.of(tracker);
    }
}
