// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.extra;

import dev.ferry.device.MigrationDriver;
import dev.ferry.device.UnmigratableDriver;
import java.util.Hashtable;
import java.util.Map;
import org.osgi.framework.BundleActivator;
import org.osgi.framework.BundleContext;

/** Of a bundle that a test puts beside those of the application: brings one device, or fails where it is told to. */
public final class Activator implements BundleActivator {

    /** Manifest header: what to fail with. */
    public static final String FAILURE = "Test-Failure";

    @Override
    public void start(BundleContext context) {
        String failure = context.getBundle().getHeaders().get(FAILURE);
        if (failure != null) {
            throw new IllegalStateException(failure);
        }
        System.out.println("a bundle talks to itself");
        context.registerService(
                MigrationDriver.class,
                new UnmigratableDriver("extra/a", "it is a test's"),
                new Hashtable<>(Map.of(
                        MigrationDriver.DEVICE_ID, "extra/a",
                        MigrationDriver.DEVICE_TYPE, "test",
                        MigrationDriver.BACKEND, "test",
                        MigrationDriver.HOST, "here",
                        MigrationDriver.NOT_MIGRATABLE, "it is a test's")));
    }

    @Override
    public void stop(BundleContext context) {
        // The framework unregisters the service.
    }
}
