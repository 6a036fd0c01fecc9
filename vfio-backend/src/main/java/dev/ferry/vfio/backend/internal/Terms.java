// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.device.MigrationDriver;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.util.HashMap;
import java.util.Map;
import java.util.Optional;

/**
 * On which terms devices of this host are served: which may be opened, and what their services are called and tell.
 * Immutable.
 *
 * @param settings in force
 * @param hostName the host's own, for settings that name none
 */
record Terms(BackendSettings settings, String hostName) {

    /** Service property: how the device was opened and why so. */
    static final String ACCESS = "ferry.vfio.access";
    /** Service property: how dirty pages are tracked and why so. */
    static final String DIRTY_TRACKING = "ferry.vfio.dirty.tracking";
    /** Service property: the driver of the kernel that the device is bound to; absent when to none. */
    static final String DRIVER = "ferry.vfio.driver";
    /** Service property: the device is among those that the configuration in force allows to open. */
    static final String CONFIGURED = "ferry.vfio.configured";

    static final String BACKEND = "vfio";
    /** The name of the records of a session's bytes, by which {@code dev.ferry.stream.vfio} reads them. */
    private static final String STREAM_FORMAT = "vfio";
    private static final String NOT_ALLOWED =
            "it is not open: add it to the list 'devices' of the configuration " + BackendConfiguration.PID;

    String host() {
        return settings.host().orElse(hostName);
    }

    /** Under which a device is registered. */
    String id(String name) {
        return host() + "/" + name;
    }

    boolean isConfigured(FoundDevice device) {
        return settings.devices().contains(device.name());
    }

    /** Why a device may not be opened; first what stands against the device itself. */
    Optional<String> obstacle(FoundDevice device) {
        return device.obstacle().or(() -> isConfigured(device) ? Optional.empty() : Optional.of(NOT_ALLOWED));
    }

    /** The properties of every service of a device; for the caller to add to. */
    Map<String, Object> properties(FoundDevice device) {
        Map<String, Object> properties = new HashMap<>();
        properties.put(MigrationDriver.DEVICE_ID, id(device.name()));
        properties.put(MigrationDriver.DEVICE_TYPE, type(device));
        properties.put(MigrationDriver.BACKEND, BACKEND);
        properties.put(MigrationDriver.HOST, host());
        properties.put(MigrationDriver.STREAM_FORMAT, STREAM_FORMAT);
        properties.put(CONFIGURED, isConfigured(device));
        device.driver().ifPresent(driver -> properties.put(DRIVER, driver));
        return properties;
    }

    /** A device that is not there tells no type. */
    private static String type(FoundDevice device) {
        return device.type().isEmpty() ? BACKEND : BACKEND + "/" + device.type();
    }
}
