// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Waits without sleeping; what never comes fails the test, and does not hang it. Used on any thread. */
final class Await {

    private static final long LIMIT_SECONDS = 30;

    private Await() {}

    /** Returns once no thread lives whose name begins so: whoever waits for a thread pool goes on a little earlier. */
    static void untilNoThreadIsLeft(String prefix) {
        until("threads " + prefix + " to end", () -> Thread.getAllStackTraces().keySet().stream()
                .noneMatch(thread -> thread.getName().startsWith(prefix)));
    }

    /** Returns once the condition is true. */
    static void until(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("waited " + LIMIT_SECONDS + " s for " + what);
            }
            Thread.yield();
        }
    }
}
