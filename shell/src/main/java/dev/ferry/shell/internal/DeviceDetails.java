// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonObject;
import dev.ferry.device.MigrationDriver;
import java.util.Collection;
import java.util.Map;
import java.util.TreeMap;

/**
 * What a backend tells of a device beyond what every backend tells: the properties of the driver's service whose names
 * begin with {@code ferry.} and the backend's name. Shown as they are, understood by nobody here.
 *
 * @param drivers properties of the drivers' services
 */
record DeviceDetails(Collection<Map<String, Object>> drivers) {

    /** The details of one device, by their names without the backend's; empty where its backend tells none. */
    JsonObject of(String device) {
        JsonObject details = new JsonObject();
        drivers.stream()
                .filter(properties -> device.equals(properties.get(MigrationDriver.DEVICE_ID)))
                .findFirst()
                .ifPresent(properties -> add(properties, details));
        return details;
    }

    private static void add(Map<String, Object> properties, JsonObject details) {
        String prefix = "ferry." + properties.get(MigrationDriver.BACKEND) + ".";
        new TreeMap<>(properties).forEach((name, value) -> {
            if (name.startsWith(prefix)) {
                details.addProperty(name.substring(prefix.length()), String.valueOf(value));
            }
        });
    }
}
