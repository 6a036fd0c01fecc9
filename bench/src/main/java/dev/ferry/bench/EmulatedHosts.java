// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.device.MigrationDriver;
import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.migration.MigrationService;
import dev.ferry.virtio.AdminQueue;
import java.io.File;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URISyntaxException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Collection;
import java.util.Comparator;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import java.util.jar.JarFile;
import java.util.stream.Stream;
import org.apache.felix.framework.Felix;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * Two emulated hosts in a framework of their own, with the bundles as they are deployed; the benchmark sees their
 * services, since the framework takes the packages they share from the benchmark's class path.
 */
final class EmulatedHosts {

    private static final String ADAPTER_PID = "dev.ferry.emulator.adapter";
    private static final String MIGRATIONS_PID = "dev.ferry.fsm.core";
    private static final long WAIT_SECONDS = 60;

    /** Packages of libraries that bundles and benchmark share, with the versions that the bundles import. */
    private static final String SHARED_LIBRARIES = "org.osgi.service.cm;version=1.6.1,org.slf4j;version=2.0.20";

    /** One class of each of our bundles that export packages; all these are shared as they are exported. */
    private static final List<Class<?>> SHARED_BUNDLES = List.of(MigrationService.class, EmulatedAdapter.class);

    /** One class of each bundle to deploy; where it was loaded from is the bundle's file. */
    private static final List<String> DEPLOYED = List.of(
            "org.osgi.util.function.Function",
            "org.osgi.util.promise.Promise",
            "org.osgi.service.component.ComponentContext",
            "org.apache.felix.eventadmin.impl.Activator",
            "org.apache.felix.cm.impl.ConfigurationManager",
            "org.apache.felix.scr.impl.Activator",
            "dev.ferry.fsm.core.internal.table.FeatureTransitionTable",
            "dev.ferry.stream.virtiovf.internal.VirtiovfFormat",
            "dev.ferry.virtio.net.provider.internal.VirtioNetProvider",
            "dev.ferry.emulator.internal.EmulatedAdapterComponent");

    private final Path storage;
    private final Felix felix;
    private final BundleContext context;

    private EmulatedHosts(Path storage, Felix felix) {
        this.storage = storage;
        this.felix = felix;
        this.context = felix.getBundleContext();
    }

    /**
     * Starts both hosts, {@code host1} and {@code host2}, with one owner device {@code pf0} each.
     *
     * @param members of each owner device
     * @param queuePairs of each member
     */
    static EmulatedHosts start(int members, int queuePairs) throws Exception {
        return start(Map.of("members", members, "queue.pairs", queuePairs), Map.of());
    }

    /**
     * The same with any configuration.
     *
     * @param adapter of the owner devices, as the emulator has it; with {@code members}
     * @param migrations of fsm-core
     */
    static EmulatedHosts start(Map<String, Object> adapter, Map<String, Object> migrations) throws Exception {
        Path storage = Files.createTempDirectory("ferry-bench");
        Felix felix = new Felix(Map.of(
                Constants.FRAMEWORK_STORAGE, storage.toString(),
                Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA, sharedPackages()));
        felix.start();
        EmulatedHosts hosts = new EmulatedHosts(storage, felix);
        try {
            hosts.deploy();
            hosts.await(() -> hosts.context.getServiceReference(ConfigurationAdmin.class) != null);
            hosts.configureMigrations(migrations);
            hosts.configure("host1", adapter);
            hosts.configure("host2", adapter);
            int members = (int) adapter.get("members");
            hosts.await(() -> hosts.services(MigrationDriver.class, null).size() == 2 * members);
            return hosts;
        } catch (Exception e) {
            // Its threads would keep the process from ending.
            hosts.stop();
            throw e;
        }
    }

    private static String sharedPackages() throws IOException, URISyntaxException {
        StringBuilder packages = new StringBuilder(SHARED_LIBRARIES);
        for (Class<?> type : SHARED_BUNDLES) {
            File file = new File(
                    type.getProtectionDomain().getCodeSource().getLocation().toURI());
            try (JarFile bundle = new JarFile(file)) {
                packages.append(',')
                        .append(bundle.getManifest().getMainAttributes().getValue(Constants.EXPORT_PACKAGE));
            }
        }
        return packages.toString();
    }

    private void deploy() throws BundleException, ClassNotFoundException {
        List<Bundle> bundles = new ArrayList<>();
        for (String name : DEPLOYED) {
            // Not initialised: the class runs in the framework, here it only tells where its bundle is.
            Class<?> type = Class.forName(name, false, EmulatedHosts.class.getClassLoader());
            bundles.add(context.installBundle(
                    type.getProtectionDomain().getCodeSource().getLocation().toString()));
        }
        for (Bundle bundle : bundles) {
            bundle.start();
        }
    }

    private void configureMigrations(Map<String, Object> values) throws IOException {
        if (!values.isEmpty()) {
            service(ConfigurationAdmin.class, null)
                    .getConfiguration(MIGRATIONS_PID, "?")
                    .update(new Hashtable<>(values));
        }
    }

    private void configure(String host, Map<String, Object> values) throws IOException {
        Dictionary<String, Object> adapter = new Hashtable<>(values);
        adapter.put("host", host);
        adapter.put("name", "pf0");
        service(ConfigurationAdmin.class, null)
                .createFactoryConfiguration(ADAPTER_PID, "?")
                .update(adapter);
    }

    /** The service that migrates. */
    MigrationService migrations() {
        return service(MigrationService.class, null);
    }

    /** The adapter of one host. */
    EmulatedAdapter adapter(String host) {
        return service(EmulatedAdapter.class, "(ferry.host=" + host + ")");
    }

    /** The admin queue of one host's owner device. */
    AdminQueue owner(String host) {
        return service(AdminQueue.class, "(ferry.host=" + host + ")");
    }

    private <T> T service(Class<T> type, String filter) {
        Collection<ServiceReference<T>> references = services(type, filter);
        if (references.isEmpty()) {
            throw new IllegalStateException("no service " + type.getName());
        }
        return context.getService(references.iterator().next());
    }

    private <T> Collection<ServiceReference<T>> services(Class<T> type, String filter) {
        try {
            return context.getServiceReferences(type, filter);
        } catch (InvalidSyntaxException e) {
            throw new IllegalArgumentException(e);
        }
    }

    private void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new IllegalStateException("the emulated hosts were not ready in " + WAIT_SECONDS + " s");
            }
            Thread.onSpinWait();
        }
    }

    /** Stops the framework and removes what it stored. */
    void stop() throws Exception {
        felix.stop();
        felix.waitForStop(TimeUnit.SECONDS.toMillis(WAIT_SECONDS));
        try (Stream<Path> files = Files.walk(storage)) {
            files.sorted(Comparator.reverseOrder()).forEach(EmulatedHosts::delete);
        }
    }

    private static void delete(Path file) {
        try {
            Files.delete(file);
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
