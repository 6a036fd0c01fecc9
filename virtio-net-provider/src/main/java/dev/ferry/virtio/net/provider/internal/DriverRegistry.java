// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.device.MigrationDriver;
import java.util.Map;

/** Where drivers become services; the one place that needs the framework. */
@FunctionalInterface
interface DriverRegistry {

    /**
     * Registers a driver.
     *
     * @return unregisters it, and returns when whoever uses the driver has let go of it
     */
    Runnable register(MigrationDriver driver, Map<String, Object> properties);
}
