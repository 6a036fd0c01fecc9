// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.device;

import java.time.Duration;
import java.util.function.BooleanSupplier;

/** Waits for something that others are doing with a device: not for ever, and without haste. */
final class BoundedWait {

    /** Between two looks at a condition of whose change nobody tells. */
    private static final long TICK_MILLIS = 50;

    private BoundedWait() {}

    /**
     * Waits until a condition holds or the time is over. An interrupt does not end the wait, as the device matters more
     * than the haste of whoever waits; the flag is set again afterwards.
     *
     * @param monitor held by the caller; notified when the condition may have changed, it is seen at once
     * @param deadlineNanos in terms of {@link System#nanoTime}
     * @return whether the condition holds
     */
    static boolean until(BooleanSupplier condition, Object monitor, long deadlineNanos) {
        boolean interrupted = false;
        while (!condition.getAsBoolean()) {
            long millis = Duration.ofNanos(deadlineNanos - System.nanoTime()).toMillis();
            if (millis <= 0) {
                break;
            }
            try {
                monitor.wait(Math.min(millis, TICK_MILLIS));
            } catch (InterruptedException e) {
                interrupted = true;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        return condition.getAsBoolean();
    }
}
