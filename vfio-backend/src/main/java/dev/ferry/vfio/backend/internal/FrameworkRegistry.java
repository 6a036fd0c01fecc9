// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.device.DeviceMemory;
import dev.ferry.device.MigrationDriver;
import dev.ferry.vfio.backend.internal.access.UserMemory;
import java.util.Hashtable;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceRegistration;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The framework's registry of services. */
record FrameworkRegistry(BundleContext context) implements DriverRegistry {
    private static final Logger LOG = LoggerFactory.getLogger(FrameworkRegistry.class);

    /**
     * Memory is there for as long as the driver is: a migration that is ended needs it. Unless the framework stops the
     * bundle first, and unregisters the memory that is left.
     */
    @Override
    public Runnable register(
            MigrationDriver driver, Optional<Supplier<UserMemory>> memory, Map<String, Object> properties) {
        Runnable withdrawMemory = memory.map(users -> withdrawal(context.registerService(
                        DeviceMemory.class, new MemoryOfUsers(users), new Hashtable<>(properties))))
                .orElse(() -> {});
        boolean done = false;
        try {
            Runnable withdrawDriver = register(context, MigrationDriver.class, driver, properties);
            done = true;
            return () -> {
                try {
                    withdrawDriver.run();
                } finally {
                    withdrawMemory.run();
                }
            };
        } finally {
            if (!done) {
                withdrawMemory.run();
            }
        }
    }

    /** Registers any service; gives what unregisters it. */
    static <S> Runnable register(BundleContext context, Class<S> type, S service, Map<String, Object> about) {
        return withdrawal(context.registerService(type, service, new Hashtable<>(about)));
    }

    private static Runnable withdrawal(ServiceRegistration<?> registration) {
        return () -> {
            try {
                registration.unregister();
            } catch (IllegalStateException e) {
                LOG.debug("a service was unregistered by the framework", e);
            }
        };
    }
}
