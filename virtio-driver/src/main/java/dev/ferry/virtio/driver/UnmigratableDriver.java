// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.util.Optional;
import java.util.Set;

/**
 * A member whose owner device lacks what a migration needs: there for people to see, with the reason. Its state is
 * unknown, since nobody can ask for it. Immutable.
 */
final class UnmigratableDriver implements MigrationDriver {

    private final String deviceId;
    private final String reason;

    UnmigratableDriver(String deviceId, String reason) {
        this.deviceId = deviceId;
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
        return new DeviceException(Errno.EOPNOTSUPP, deviceId + " cannot be migrated: " + reason);
    }
}
