// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.device.MigrationDriver;
import dev.ferry.vfio.backend.internal.access.UserMemory;
import java.util.Map;
import java.util.Optional;
import java.util.function.Supplier;

/** Where drivers become services; the framework's registry but in tests. */
@FunctionalInterface
interface DriverRegistry {

    /**
     * Registers a driver, and the memory that its device may reach.
     *
     * @param memory gives each user of it an own one, which is closed when the user gives it back; empty where another
     *     process maps
     * @return unregisters both again; the driver is used until that returns, and no memory is mapped any more
     */
    Runnable register(
            MigrationDriver driver, Optional<Supplier<UserMemory>> memory, Map<String, Object> properties);
}
