// SPDX-License-Identifier: Apache-2.0
package dev.ferry.device;

import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.util.Optional;
import java.util.Set;

/**
 * A device that cannot be migrated: there for people to see, with the reason, which its service has as the property
 * {@link MigrationDriver#NOT_MIGRATABLE}, too. It has no features, and all that asks the device fails with {@link
 * Errno#EOPNOTSUPP} and the reason; its state is unknown, since nobody can ask for it. Immutable.
 *
 * @param deviceId unique name of the device
 * @param reason why it cannot be migrated, one sentence
 */
public record UnmigratableDriver(String deviceId, String reason) implements MigrationDriver {

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
