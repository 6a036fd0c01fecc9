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

    private static final String HOST = "host";
    private static final String NAME = "name";

    private static final String EITHER_SERVICE = "(|(" + Constants.OBJECTCLASS + "=" + AdminQueue.class.getName() + ")("
            + Constants.OBJECTCLASS + "=" + MigrationDriver.class.getName() + "))";

    private final BundleContext context;
    private final List<String> owners;
    private boolean changed;

    /** What to wait for: the owner devices of these ids, and as many members as each says that it has. */
    Readiness(BundleContext context, List<String> owners) {
        this.context = context;
        this.owners = List.copyOf(owners);
    }

    /** Ids of the owner devices of the adapters among configurations. */
    static List<String> owners(List<Configuration> configurations) {
        return configurations.stream()
                .filter(configuration -> configuration.factoryPid().equals(Configuration.ADAPTER))
                .map(Configuration::properties)
                .map(properties -> properties.get(HOST) + "/" + properties.get(NAME))
                .toList();
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
        for (String owner : owners) {
            List<ServiceReference<?>> queues = services(AdminQueue.class, AdminQueue.OWNER_ID, owner);
            int drivers = services(MigrationDriver.class, MigrationDriver.OWNER, owner).size();
            if (queues.isEmpty()) {
                missing.add("the owner device " + owner);
            } else if (queues.get(0).getProperty(AdminQueue.MEMBERS) instanceof Integer members && drivers < members) {
                missing.add("%d of the %d devices of %s".formatted(members - drivers, members, owner));
            }
        }
        return missing;
    }

    private List<ServiceReference<?>> services(Class<?> service, String key, String owner)
            throws InvalidSyntaxException {
        List<ServiceReference<?>> found = new ArrayList<>();
        for (ServiceReference<?> reference : context.getServiceReferences(service, null)) {
            if (owner.equals(reference.getProperty(key))) {
                found.add(reference);
            }
        }
        return found;
    }
}
