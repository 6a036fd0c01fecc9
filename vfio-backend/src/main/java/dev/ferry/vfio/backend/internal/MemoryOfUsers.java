// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.device.DeviceMemory;
import dev.ferry.vfio.backend.internal.access.UserMemory;
import java.util.function.Supplier;
import org.osgi.framework.Bundle;
import org.osgi.framework.ServiceFactory;
import org.osgi.framework.ServiceRegistration;

/**
 * Gives each bundle a memory of its own for one device. The framework calls it, on the thread of whoever gets or gives
 * back the service, stops the bundle that has it, or unregisters it.
 */
record MemoryOfUsers(Supplier<UserMemory> users) implements ServiceFactory<DeviceMemory> {

    @Override
    public DeviceMemory getService(Bundle user, ServiceRegistration<DeviceMemory> registration) {
        return users.get();
    }

    @Override
    public void ungetService(Bundle user, ServiceRegistration<DeviceMemory> registration, DeviceMemory memory) {
        ((UserMemory) memory).close();
    }
}
