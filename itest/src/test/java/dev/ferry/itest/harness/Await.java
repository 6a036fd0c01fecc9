// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import java.time.Duration;
import java.util.concurrent.Callable;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.function.Supplier;
import org.osgi.framework.AllServiceListener;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;

/** Waits with a limit: for a condition, looked at again at every service event; for a service; for a result. */
public final class Await {
    /** More than anything here takes on a busy machine. */
    public static final Duration LIMIT = Duration.ofSeconds(60);

    /** For conditions that no service event announces. */
    private static final long LOOK_AGAIN_MILLIS = 20;

    private Await() {}

    /** Waits for a condition; {@code state} is printed when it never comes true. */
    public static void until(BundleContext context, String what, Callable<Boolean> condition, Supplier<?> state)
            throws Exception {
        Object monitor = new Object();
        // Of all services: to find out whether this bundle may see one, the framework would wire it to its packages.
        AllServiceListener wake = event -> {
            synchronized (monitor) {
                monitor.notifyAll();
            }
        };
        long end = System.nanoTime() + LIMIT.toNanos();
        context.addServiceListener(wake);
        try {
            while (!condition.call()) {
                if (System.nanoTime() > end) {
                    throw new AssertionError("not within " + LIMIT + ": " + what + "\n" + state.get());
                }
                synchronized (monitor) {
                    monitor.wait(LOOK_AGAIN_MILLIS);
                }
            }
        } finally {
            context.removeServiceListener(wake);
        }
    }

    /** Waits for a condition. */
    public static void until(BundleContext context, String what, Callable<Boolean> condition) throws Exception {
        until(context, what, condition, () -> "");
    }

    /** Waits for a service. */
    public static <S> S service(BundleContext context, Class<S> type) throws Exception {
        return service(context, type, null);
    }

    /** Waits for a service that fits a filter; null for any. */
    public static <S> S service(BundleContext context, Class<S> type, String filter) throws Exception {
        until(
                context,
                "a service " + type.getName() + " " + filter,
                () -> !context.getServiceReferences(type, filter).isEmpty(),
                () -> Components.report(context));
        ServiceReference<S> reference =
                context.getServiceReferences(type, filter).iterator().next();
        return context.getService(reference);
    }

    /** Waits for a result. */
    public static <T> T result(CompletionStage<T> stage) throws Exception {
        try {
            return stage.toCompletableFuture().get(LIMIT.toMillis(), TimeUnit.MILLISECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError("no result within " + LIMIT + ": " + stage, e);
        }
    }
}
