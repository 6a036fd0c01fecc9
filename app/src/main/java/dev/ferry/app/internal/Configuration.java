// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Map;

/**
 * One configuration to put in place. Immutable.
 *
 * @param factoryPid of the component to configure; or the PID itself where {@code name} is empty
 * @param name of the instance; empty for a configuration that is no factory's
 * @param properties as they are given to ConfigAdmin
 */
record Configuration(String factoryPid, String name, Map<String, Object> properties) {

    /** Factory PID of emulated adapters. */
    static final String ADAPTER = "dev.ferry.emulator.adapter";

    /** PID of the backend for VFIO devices of this host; its {@code devices} names those that it may open. */
    static final String VFIO_BACKEND = "dev.ferry.vfio.backend";

    /** Copies the map. */
    Configuration {
        properties = Map.copyOf(properties);
    }

    /** PID, as it stands in a resource of the Configurator and as ConfigAdmin makes it. */
    String pid() {
        return name.isEmpty() ? factoryPid : factoryPid + "~" + name;
    }

    /** Whether it is of an emulated adapter. */
    boolean isAdapter() {
        return factoryPid.equals(ADAPTER);
    }

    /** Whether it is of the backend for VFIO devices. */
    boolean isVfio() {
        return factoryPid.equals(VFIO_BACKEND);
    }

    /** The properties as ConfigAdmin takes them. */
    Dictionary<String, Object> dictionary() {
        return new Hashtable<>(properties);
    }
}
