// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.launch;

import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.BooleanSupplier;
import java.util.function.ToIntFunction;
import java.util.stream.Collectors;
import org.apache.felix.framework.FrameworkFactory;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.BundleException;
import org.osgi.framework.Constants;
import org.osgi.framework.FrameworkEvent;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.launch.Framework;
import org.osgi.framework.wiring.FrameworkWiring;

/**
 * One framework with the bundles of the application, for one run; keeps its files in a folder of its own, so that any
 * number of runs go on side by side. Thread-safe.
 */
final class Application {

    private static final String RUNNER = "(ferry.runner=true)";

    private final BundleSet bundles = new BundleSet();
    private final Path storage;
    private final Framework framework;
    private final AtomicBoolean stopping = new AtomicBoolean();
    /** For those who remove the files: one by one. */
    private final Object removing = new Object();
    private ToIntFunction<String[]> runner;
    private boolean interrupted;

    /** Prepares a framework; nothing runs yet. */
    Application() throws IOException {
        storage = Folders.temporary();
        framework = new FrameworkFactory().newFramework(settings());
    }

    private Map<String, String> settings() {
        Map<String, String> settings = new HashMap<>();
        settings.put(Constants.FRAMEWORK_STORAGE, storage.toString());
        settings.put(Constants.FRAMEWORK_STORAGE_CLEAN, Constants.FRAMEWORK_STORAGE_CLEAN_ONFIRSTINIT);
        // Bundles see what they import, and nothing of this class path.
        settings.put(Constants.FRAMEWORK_BUNDLE_PARENT, Constants.FRAMEWORK_BUNDLE_PARENT_EXT);
        settings.put("felix.bootdelegation.implicit", "false");
        settings.put("felix.log.level", "1");
        return settings;
    }

    /** Starts all bundles, has the application's bundle run what the arguments say, and gives its exit status. */
    int run(String... arguments) throws BundleException, IOException, InvalidSyntaxException {
        framework.init();
        BundleContext context = framework.getBundleContext();
        List<Bundle> installed = new ArrayList<>();
        for (String name : bundles.names()) {
            try (InputStream jar = bundles.open(name)) {
                installed.add(context.installBundle("ferry:" + name, jar));
            }
        }
        framework.start();
        // All at once: bundle by bundle would take the resolver several times as long.
        context.getBundle().adapt(FrameworkWiring.class).resolveBundles(installed);
        for (Bundle bundle : installed) {
            // What cannot be resolved, for newer Java for example, is left out; the application's bundle says why.
            if (bundle.getHeaders("").get(Constants.FRAGMENT_HOST) == null && bundle.getState() != Bundle.INSTALLED) {
                bundle.start();
            }
        }
        ToIntFunction<String[]> found = runner(context);
        synchronized (this) {
            if (interrupted) {
                throw new BundleException("interrupted before it was started");
            }
            runner = found;
        }
        return found.applyAsInt(arguments);
    }

    /**
     * Has the command that runs end, from another thread; returns when it did, or after the time that the runner
     * allows. Afterwards nothing more reaches standard error, given as the stream that the process began with.
     */
    void interrupt(PrintStream err) {
        ToIntFunction<String[]> running;
        synchronized (this) {
            interrupted = true;
            running = runner;
        }
        try {
            if (running instanceof AutoCloseable closeable) {
                closeable.close();
            } else {
                err.println("ferry: interrupted");
            }
        } catch (Exception e) {
            err.println("ferry: interrupted, and what ran does not end: " + e.getMessage());
        } finally {
            err.close();
        }
    }

    /**
     * Has the command end that somebody typed at a prompt, and returns at once; what runs the commands goes on.
     *
     * @return false when there is no prompt, or the command was told before
     */
    boolean interruptCommand() {
        ToIntFunction<String[]> running;
        synchronized (this) {
            running = runner;
        }
        return running instanceof BooleanSupplier prompt && prompt.getAsBoolean();
    }

    @SuppressWarnings("unchecked")
    private static ToIntFunction<String[]> runner(BundleContext context)
            throws InvalidSyntaxException, BundleException {
        for (ServiceReference<?> reference : context.getServiceReferences(ToIntFunction.class, RUNNER)) {
            return (ToIntFunction<String[]>) context.getService(reference);
        }
        String inactive = List.of(context.getBundles()).stream()
                .filter(bundle -> bundle.getState() != Bundle.ACTIVE)
                .map(Bundle::getSymbolicName)
                .collect(Collectors.joining(", "));
        throw new BundleException("no bundle offers to run commands; not active: "
                + (inactive.isEmpty() ? "none" : inactive));
    }

    /**
     * Stops the framework and removes its files; may be called more than once, each caller with a limit of its own.
     *
     * @return whether it has stopped
     */
    boolean stop(Duration limit) {
        boolean stopped = stopFramework(limit);
        synchronized (removing) {
            Folders.delete(storage);
        }
        return stopped;
    }

    private boolean stopFramework(Duration limit) {
        try {
            if (stopping.compareAndSet(false, true)) {
                framework.stop();
            }
            return framework.waitForStop(limit.toMillis()).getType() != FrameworkEvent.WAIT_TIMEDOUT;
        } catch (BundleException e) {
            System.err.println("ferry: the framework does not stop: " + e.getMessage());
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return false;
    }
}
