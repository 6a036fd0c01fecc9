// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import java.io.InputStream;
import java.net.URI;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CopyOnWriteArrayList;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleEvent;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.SynchronousBundleListener;
import org.osgi.framework.wiring.FrameworkWiring;

/** What an operator does with bundles, by symbolic name, inside the framework. Knows no type of Ferry's. */
public final class Bundles {
    private final BundleContext context;

    public Bundles(BundleContext context) {
        this.context = context;
    }

    /** Installs a bundle of ours; does not start it. */
    public Bundle install(FerryBundle bundle) throws BundleException {
        return context.installBundle(bundle.location());
    }

    /** Installs and starts a bundle made by the tests. */
    public Bundle deploy(TestBundle bundle) throws BundleException {
        return deploy(bundle.location());
    }

    /** Installs and starts a bundle made elsewhere. */
    public Bundle deploy(String location) throws BundleException {
        Bundle installed = context.installBundle(location);
        installed.start();
        return installed;
    }

    /** The bundle with a symbolic name. */
    public Bundle get(FerryBundle bundle) {
        return find(bundle.symbolicName())
                .orElseThrow(() -> new AssertionError(bundle.symbolicName() + " is not installed"));
    }

    /** The bundle with a symbolic name, where it is installed. */
    public Optional<Bundle> find(String symbolicName) {
        return Arrays.stream(context.getBundles())
                .filter(bundle -> bundle.getSymbolicName().equals(symbolicName))
                .findFirst();
    }

    /** Replaces the content of a bundle by what lies at its location. */
    public static void update(Bundle bundle) throws Exception {
        try (InputStream content = URI.create(bundle.getLocation()).toURL().openStream()) {
            bundle.update(content);
        }
    }

    /** Lets go of old class loaders, and waits until that is done; dependent bundles are restarted. */
    public void refresh(Collection<Bundle> bundles) throws Exception {
        CompletableFuture<Integer> refreshed = new CompletableFuture<>();
        context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION)
                .adapt(FrameworkWiring.class)
                .refreshBundles(bundles, event -> {
                    if (event.getType() == FrameworkEvent.PACKAGES_REFRESHED) {
                        refreshed.complete(event.getType());
                    }
                });
        Await.result(refreshed);
    }

    /** Notes everything that happens to some bundles until closed. */
    public final class Watch implements AutoCloseable {
        private final List<String> events = new CopyOnWriteArrayList<>();
        private final SynchronousBundleListener listener;

        private Watch(List<String> symbolicNames) {
            listener = event -> {
                if (symbolicNames.contains(event.getBundle().getSymbolicName())) {
                    events.add(event.getBundle().getSymbolicName() + ": " + name(event.getType()));
                }
            };
            context.addBundleListener(listener);
        }

        /** What happened. */
        public List<String> events() {
            return List.copyOf(events);
        }

        @Override
        public void close() {
            context.removeBundleListener(listener);
        }
    }

    /** Begins to note everything that happens to some bundles. */
    public Watch watch(FerryBundle... bundles) {
        return new Watch(Arrays.stream(bundles).map(FerryBundle::symbolicName).toList());
    }

    private static String name(int type) {
        return switch (type) {
            case BundleEvent.INSTALLED -> "INSTALLED";
            case BundleEvent.RESOLVED -> "RESOLVED";
            case BundleEvent.STARTING -> "STARTING";
            case BundleEvent.STARTED -> "STARTED";
            case BundleEvent.STOPPING -> "STOPPING";
            case BundleEvent.STOPPED -> "STOPPED";
            case BundleEvent.UPDATED -> "UPDATED";
            case BundleEvent.UNRESOLVED -> "UNRESOLVED";
            case BundleEvent.UNINSTALLED -> "UNINSTALLED";
            default -> "event " + type;
        };
    }
}
