// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.harness;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.net.URL;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import java.util.jar.JarInputStream;
import java.util.stream.Stream;
import org.apache.felix.framework.Felix;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.ServiceRegistration;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * A framework in this process with bundles as they are deployed. The tests see their services, since the framework
 * takes the packages that both share from the class path of the tests. Thread-safe.
 */
public final class Framework implements AutoCloseable {

    private static final long WAIT_SECONDS = 30;

    /** Packages that bundles and tests share beside those that the API and the emulator export. */
    private static final String SHARED_PACKAGES = "org.osgi.service.cm;version=1.6.1,org.slf4j;version=2.0.20";

    /** One class of each bundle whose packages are shared. */
    private static final List<String> SHARED = List.of(
            "dev.ferry.device.MigrationDriver", "dev.ferry.emulator.internal.EmulatedAdapterComponent");

    /** One class of each bundle that every framework has; where it was loaded from is the bundle's file. */
    private static final List<String> PLATFORM = List.of(
            "org.osgi.util.function.Function",
            "org.osgi.util.promise.Promise",
            "org.osgi.service.component.ComponentContext",
            "org.apache.felix.cm.impl.ConfigurationManager",
            "org.apache.felix.scr.impl.Activator");

    private final Path storage;
    private final Felix felix;
    private final BundleContext context;

    /**
     * Starts a framework with bundles.
     *
     * @param classes one of each bundle to deploy
     */
    public Framework(List<String> classes) {
        try {
            storage = Files.createTempDirectory("ferry-conformance");
            felix = new Felix(Map.of(
                    Constants.FRAMEWORK_STORAGE, storage.toString(),
                    Constants.FRAMEWORK_SYSTEMPACKAGES_EXTRA, sharedPackages()));
            felix.start();
            context = felix.getBundleContext();
            deploy(PLATFORM);
            deploy(classes);
        } catch (IOException | BundleException | ClassNotFoundException e) {
            throw new IllegalStateException("the framework did not start", e);
        }
    }

    /** What the bundles say that they export, in their versions. */
    private static String sharedPackages() throws IOException, ClassNotFoundException {
        StringBuilder packages = new StringBuilder(SHARED_PACKAGES);
        for (String name : SHARED) {
            try (JarInputStream jar = new JarInputStream(bundleOf(name).openStream())) {
                String exports = jar.getManifest().getMainAttributes().getValue(Constants.EXPORT_PACKAGE);
                packages.append(',').append(exports.replaceAll(";uses:=\"[^\"]*\"", ""));
            }
        }
        return packages.toString();
    }

    /** Not initialised: the class runs in the framework, here it only tells where its bundle is. */
    private static URL bundleOf(String name) throws ClassNotFoundException {
        return Class.forName(name, false, Framework.class.getClassLoader())
                .getProtectionDomain()
                .getCodeSource()
                .getLocation();
    }

    private void deploy(List<String> classes) throws BundleException, ClassNotFoundException {
        List<Bundle> bundles = new ArrayList<>();
        for (String name : classes) {
            bundles.add(context.installBundle(bundleOf(name).toString()));
        }
        for (Bundle bundle : bundles) {
            bundle.start();
        }
    }

    /** A new configuration of a factory. */
    public Configuration configure(String factoryPid, Map<String, Object> values) {
        ConfigurationAdmin admin = await(ConfigurationAdmin.class, null);
        try {
            Configuration configuration = admin.createFactoryConfiguration(factoryPid, "?");
            configuration.update(dictionary(values));
            return configuration;
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** The configuration of a component. */
    public void configureComponent(String pid, Map<String, Object> values) {
        try {
            await(ConfigurationAdmin.class, null).getConfiguration(pid, "?").update(dictionary(values));
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    /** Registers a service of the tests. */
    public <T> ServiceRegistration<T> register(Class<T> type, T service, Map<String, Object> properties) {
        return context.registerService(type, service, dictionary(properties));
    }

    /** Values as a dictionary. */
    public static Dictionary<String, Object> dictionary(Map<String, Object> values) {
        return new Hashtable<>(values);
    }

    /** A service, as soon as it is there. */
    public <T> T await(Class<T> type, String filter) {
        ServiceReference<T> reference = Waiting.until(
                type.getSimpleName() + " " + filter,
                () -> services(type, filter).stream().findFirst());
        return context.getService(reference);
    }

    /** The references of services that are there now. */
    public <T> List<ServiceReference<T>> services(Class<T> type, String filter) {
        try {
            return List.copyOf(context.getServiceReferences(type, filter));
        } catch (InvalidSyntaxException e) {
            throw new IllegalArgumentException(e);
        }
    }

    /** Waits for something with a limit; there is nothing in the framework that would tell. */
    public static final class Waiting {

        private Waiting() {}

        /** The value, as soon as there is one. */
        public static <T> T until(String what, Supplier<Optional<T>> value) {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(WAIT_SECONDS);
            while (true) {
                Optional<T> present = value.get();
                if (present.isPresent()) {
                    return present.get();
                }
                if (System.nanoTime() - deadline > 0) {
                    throw new IllegalStateException("not there in " + WAIT_SECONDS + " s: " + what);
                }
                Thread.yield();
            }
        }

        /** Returns as soon as it holds. */
        public static void untilTrue(String what, Supplier<Boolean> holds) {
            until(what, () -> holds.get() ? Optional.of(true) : Optional.empty());
        }
    }

    @Override
    public void close() throws IOException {
        try {
            felix.stop();
            felix.waitForStop(TimeUnit.SECONDS.toMillis(WAIT_SECONDS));
        } catch (BundleException e) {
            throw new IllegalStateException("the framework did not stop", e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException("interrupted while the framework stopped", e);
        }
        try (Stream<Path> files = Files.walk(storage)) {
            for (Path file : files.sorted(Comparator.reverseOrder()).toList()) {
                Files.delete(file);
            }
        }
    }
}
