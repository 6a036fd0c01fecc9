// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import dev.ferry.device.MigrationDriver;
import dev.ferry.virtio.AdminQueue;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceListener;
import org.osgi.framework.ServiceReference;

/** Waits until the devices of configured adapters are there: the owner's queue, and a driver per member. */
final class Readiness {

    /** One adapter and the devices it is to have. */
    record Adapter(String owner, int members) {

        private static final String HOST = "host";
        private static final String NAME = "name";
        private static final String MEMBERS = "members";

        /** The adapters among configurations; those that leave the number of members to its default need only one. */
        static List<Adapter> of(List<Configuration> configurations) {
            return configurations.stream()
                    .filter(configuration -> configuration.factoryPid().equals(Configuration.ADAPTER))
                    .map(Configuration::properties)
                    .map(properties -> new Adapter(
                            properties.get(HOST) + "/" + properties.get(NAME),
                            properties.get(MEMBERS) instanceof Number number ? number.intValue() : 1))
                    .toList();
        }
    }

    private static final String EITHER_SERVICE = "(|(" + Constants.OBJECTCLASS + "=" + AdminQueue.class.getName() + ")("
            + Constants.OBJECTCLASS + "=" + MigrationDriver.class.getName() + "))";

    private final BundleContext context;
    private final List<Adapter> adapters;
    private boolean changed;

    Readiness(BundleContext context, List<Adapter> adapters) {
        this.context = context;
        this.adapters = List.copyOf(adapters);
    }

    /**
     * Waits, at most as long as allowed.
     *
     * @return what is still missing, a clause for each adapter; empty when all is there
     */
    List<String> await(Duration allowed) throws InterruptedException {
        ServiceListener listener = event -> signal();
        try {
            context.addServiceListener(listener, EITHER_SERVICE);
            try {
                return await(System.nanoTime() + allowed.toNanos());
            } finally {
                context.removeServiceListener(listener);
            }
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    private List<String> await(long deadline) throws InterruptedException, InvalidSyntaxException {
        while (true) {
            List<String> missing = missing();
            long left = deadline - System.nanoTime();
            if (missing.isEmpty() || left <= 0) {
                return missing;
            }
            synchronized (this) {
                if (!changed) {
                    TimeUnit.NANOSECONDS.timedWait(this, left);
                }
                changed = false;
            }
        }
    }

    private synchronized void signal() {
        changed = true;
        notifyAll();
    }

    private List<String> missing() throws InvalidSyntaxException {
        List<String> missing = new ArrayList<>();
        for (Adapter adapter : adapters) {
            int owners = count(AdminQueue.class, AdminQueue.OWNER_ID, adapter.owner());
            int drivers = count(MigrationDriver.class, MigrationDriver.OWNER, adapter.owner());
            if (owners == 0) {
                missing.add("the owner device " + adapter.owner());
            } else if (drivers < adapter.members()) {
                missing.add("%d of the %d devices of %s"
                        .formatted(adapter.members() - drivers, adapter.members(), adapter.owner()));
            }
        }
        return missing;
    }

    private int count(Class<?> service, String key, String owner) throws InvalidSyntaxException {
        int count = 0;
        for (ServiceReference<?> reference : context.getServiceReferences(service, null)) {
            if (owner.equals(reference.getProperty(key))) {
                count++;
            }
        }
        return count;
    }
}
