// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.device.MigrationDriver;
import java.util.Map;

/** Where drivers become services; the framework's registry but in tests. */
@FunctionalInterface
interface DriverRegistry {

    /**
     * Registers a driver.
     *
     * @return unregisters it again; the driver is used until that returns
     */
    Runnable register(MigrationDriver driver, Map<String, Object> properties);
}
