// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.util.Collections;
import java.util.EnumSet;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;

/**
 * One device that a driver knows, as it was at one moment. Immutable.
 *
 * @param id unique name
 * @param type kind of device
 * @param host that it is in
 * @param owner id of its owner device, where it has one
 * @param member group member id within the owner, where it has one
 * @param backend the driver's way to the device
 * @param state empty when the device could not be asked
 * @param features what it can do
 * @param notMigratable why it cannot be migrated, one sentence; empty for one that can
 */
public record DeviceDescription(
        String id,
        String type,
        String host,
        Optional<String> owner,
        OptionalInt member,
        String backend,
        Optional<DeviceState> state,
        Set<MigrationFeature> features,
        Optional<String> notMigratable) {

    /** Copies the features, in the order of their bits. */
    public DeviceDescription {
        features = Collections.unmodifiableSet(
                features.isEmpty() ? EnumSet.noneOf(MigrationFeature.class) : EnumSet.copyOf(features));
    }
}
