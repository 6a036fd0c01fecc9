// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.MigrationDriver;
import java.util.Hashtable;
import java.util.Map;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** Where drivers become services; the one place that needs the framework. */
@FunctionalInterface
public interface DriverRegistry {

    /**
     * Registers a driver.
     *
     * @return unregisters it, and returns when whoever uses the driver has let go of it
     */
    Runnable register(MigrationDriver driver, Map<String, Object> properties);

    /** The service registry of the framework, on behalf of a bundle. */
    static DriverRegistry of(BundleContext context) {
        Logger log = LoggerFactory.getLogger(DriverRegistry.class);
        return (driver, properties) -> {
            ServiceRegistration<MigrationDriver> registration =
                    context.registerService(MigrationDriver.class, driver, new Hashtable<>(properties));
            return () -> {
                try {
                    registration.unregister();
                } catch (IllegalStateException e) {
                    log.debug("{} was unregistered by the framework", properties.get(MigrationDriver.DEVICE_ID), e);
                }
            };
        };
    }
}
