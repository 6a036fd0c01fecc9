// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.vendor;

import dev.ferry.device.MigrationDriver;
import java.util.Hashtable;
import java.util.function.Supplier;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** Registers two cards of a vendor: {@code vendor/a}, which holds something, and {@code vendor/b}, which is empty. */
public final class Activator implements BundleActivator {

    @Override
    public void start(BundleContext context) {
        register(context, "a", "what the card holds");
        register(context, "b", "");
    }

    /** Beside the driver each card gives its content, by a type that needs no wire to this bundle. */
    private static void register(BundleContext context, String name, String content) {
        Hashtable<String, Object> properties = new Hashtable<>();
        properties.put(MigrationDriver.DEVICE_ID, "vendor/" + name);
        properties.put(MigrationDriver.DEVICE_TYPE, "vendor-card");
        properties.put(MigrationDriver.BACKEND, "vendor");
        properties.put(MigrationDriver.HOST, "vendor");
        context.registerService(
                new String[] {MigrationDriver.class.getName(), Supplier.class.getName()},
                new VendorCard(content),
                properties);
    }

    @Override
    public void stop(BundleContext context) {
        // The framework unregisters the services.
    }
}
