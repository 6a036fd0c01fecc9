// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.util.Optional;
import java.util.Set;

/** A device that is not open: there for people to see, with the reason. Immutable. */
final class UnmigratableDriver implements MigrationDriver {
    private final String id;
    private final String reason;

    UnmigratableDriver(String id, String reason) {
        this.id = id;
        this.reason = reason;
    }

    @Override
    public Set<MigrationFeature> features() {
        return Set.of();
    }

    @Override
    public DeviceState state() throws DeviceException {
        throw refused();
    }

    @Override
    public Optional<DataTransferSession> step(Arc arc) throws DeviceException {
        throw refused();
    }

    @Override
    public long stopCopySize() throws DeviceException {
        throw refused();
    }

    @Override
    public void reset() throws DeviceException {
        throw refused();
    }

    private DeviceException refused() {
        return new DeviceException(Errno.EOPNOTSUPP, id + " cannot be migrated: " + reason);
    }
}
