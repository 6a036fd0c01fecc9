// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import dev.ferry.device.MigrationDriver;
import java.util.Map;
import java.util.Optional;

/**
 * A member device, as the properties of its migration driver describe it.
 *
 * @param ownerId of its owner device
 * @param number group member id
 * @param deviceId of itself
 * @param host it is in
 */
record Member(String ownerId, int number, String deviceId, String host) {

    /** The member of a driver; empty for a driver that is of no member. */
    static Optional<Member> of(Map<String, Object> properties) {
        return properties.get(MigrationDriver.OWNER) instanceof String owner
                        && properties.get(MigrationDriver.MEMBER) instanceof Integer number
                        && properties.get(MigrationDriver.DEVICE_ID) instanceof String device
                        && properties.get(MigrationDriver.HOST) instanceof String host
                ? Optional.of(new Member(owner, number, device, host))
                : Optional.empty();
    }

    /** The properties of the service for the member. */
    Map<String, Object> properties() {
        return Map.of(
                MigrationDriver.DEVICE_ID, deviceId,
                MigrationDriver.HOST, host,
                MigrationDriver.OWNER, ownerId,
                MigrationDriver.MEMBER, number);
    }
}
