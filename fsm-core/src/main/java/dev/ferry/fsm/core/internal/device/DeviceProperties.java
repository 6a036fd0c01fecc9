// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import dev.ferry.device.MigrationDriver;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;

/** The service properties of a driver, as {@link MigrationDriver} names them. Immutable. */
public record DeviceProperties(
        String id,
        String type,
        String backend,
        String host,
        Optional<String> owner,
        OptionalInt member,
        Optional<String> streamFormat,
        OptionalInt ownerSessions,
        Optional<String> notMigratable) {

    /**
     * Reads them.
     *
     * @throws IllegalArgumentException when a mandatory one is missing or one has the wrong type
     */
    static DeviceProperties of(Map<String, ?> properties) {
        return new DeviceProperties(
                mandatory(properties, MigrationDriver.DEVICE_ID),
                mandatory(properties, MigrationDriver.DEVICE_TYPE),
                mandatory(properties, MigrationDriver.BACKEND),
                mandatory(properties, MigrationDriver.HOST),
                string(properties, MigrationDriver.OWNER),
                number(properties, MigrationDriver.MEMBER),
                string(properties, MigrationDriver.STREAM_FORMAT),
                number(properties, MigrationDriver.OWNER_SESSIONS),
                string(properties, MigrationDriver.NOT_MIGRATABLE));
    }

    private static String mandatory(Map<String, ?> properties, String key) {
        return string(properties, key)
                .orElseThrow(() -> new IllegalArgumentException("its service property " + key + " is missing"));
    }

    private static Optional<String> string(Map<String, ?> properties, String key) {
        Object value = properties.get(key);
        if (value == null || value instanceof String) {
            return Optional.ofNullable((String) value);
        }
        throw wrongType(key, "a String", value);
    }

    private static OptionalInt number(Map<String, ?> properties, String key) {
        Object value = properties.get(key);
        if (value == null) {
            return OptionalInt.empty();
        }
        if (value instanceof Integer number) {
            return OptionalInt.of(number);
        }
        throw wrongType(key, "an Integer", value);
    }

    private static IllegalArgumentException wrongType(String key, String wanted, Object value) {
        return new IllegalArgumentException(
                "its service property " + key + " must be " + wanted + ", not " + value.getClass().getName());
    }
}
