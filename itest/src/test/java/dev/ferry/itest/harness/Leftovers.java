// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import java.lang.ref.WeakReference;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.osgi.framework.Bundle;
import org.osgi.framework.wiring.BundleWiring;

/** What bundles may leave behind when they are gone: class loaders and threads. */
public final class Leftovers {
    private static final String THREAD_PREFIX = "ferry";
    private static final int GC_ROUNDS = 40;
    private static final long GC_PAUSE_MILLIS = 50;

    private record Remembered(String name, WeakReference<ClassLoader> loader) {}

    private final List<Remembered> remembered = new ArrayList<>();

    /** Remembers the class loader of a bundle that is to be uninstalled, without holding it. */
    public void remember(String round, Bundle bundle) {
        ClassLoader loader = bundle.adapt(BundleWiring.class).getClassLoader();
        remembered.add(new Remembered(round + " " + bundle.getSymbolicName(), new WeakReference<>(loader)));
    }

    /** How many class loaders were remembered. */
    public int size() {
        return remembered.size();
    }

    /** The threads of ours that live, each with where it is. */
    public static List<String> threads() {
        List<String> threads = new ArrayList<>();
        for (Map.Entry<Thread, StackTraceElement[]> entry :
                Thread.getAllStackTraces().entrySet()) {
            if (entry.getKey().getName().startsWith(THREAD_PREFIX)) {
                threads.add(entry.getKey().getName() + " " + List.of(entry.getValue()));
            }
        }
        return threads;
    }

    /** The class loaders that are still there after many garbage collections. */
    public List<String> loaders() throws InterruptedException {
        for (int round = 0; round < GC_ROUNDS && !alive().isEmpty(); round++) {
            System.gc();
            // Lets the reference handler and cleaners do their part; the number of rounds bounds it.
            synchronized (this) {
                wait(GC_PAUSE_MILLIS);
            }
        }
        return alive();
    }

    private List<String> alive() {
        return remembered.stream()
                .filter(entry -> entry.loader().get() != null)
                .map(Remembered::name)
                .toList();
    }
}
