// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

/**
 * Puts a device in order on a caller's thread that may have been interrupted: an interrupt that ended the caller's own
 * reading or writing must not break the way back as well.
 */
final class Uninterrupted {

    private Uninterrupted() {}

    /** Runs with the interrupt flag cleared, and sets it again afterwards. */
    static void run(Runnable wayBack) {
        boolean interrupted = Thread.interrupted();
        try {
            wayBack.run();
        } finally {
            if (interrupted) {
                Thread.currentThread().interrupt();
            }
        }
    }
}
