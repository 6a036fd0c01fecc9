// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator;

import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Waits without sleeping; what never comes fails the test, and does not hang it. Used on any thread. */
public final class Await {

    private static final long LIMIT_SECONDS = 30;

    private Await() {}

    /** Returns once the condition is true. */
    public static void until(String what, BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!condition.getAsBoolean()) {
            if (System.nanoTime() - deadline > 0) {
                throw new AssertionError("waited " + LIMIT_SECONDS + " s for " + what);
            }
            Thread.yield();
        }
    }
}
