// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;

/** Holds a migration at the beginning of one phase until a condition is true, so that a test can act in that phase. */
public final class PhaseGate implements MigrationListener {
    private static final long LOOK_AGAIN_MILLIS = 1;

    private final MigrationPhase phase;
    private final BooleanSupplier open;
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch abandoned = new CountDownLatch(1);

    public PhaseGate(MigrationPhase phase, BooleanSupplier open) {
        this.phase = phase;
        this.open = open;
    }

    @Override
    public void onEvent(MigrationEvent event) {
        if (event instanceof MigrationEvent.PhaseStarted started && started.phase() == phase) {
            reached.countDown();
            long end = System.nanoTime() + Await.LIMIT.toNanos();
            while (!open.getAsBoolean() && !await(abandoned, LOOK_AGAIN_MILLIS)) {
                if (System.nanoTime() > end) {
                    throw new AssertionError("the gate at " + phase + " did not open within " + Await.LIMIT);
                }
            }
        }
    }

    /** Waits until the migration stands at the gate. */
    public void awaitReached() {
        if (!await(reached, Await.LIMIT.toMillis())) {
            throw new AssertionError("the migration did not reach " + phase + " within " + Await.LIMIT);
        }
    }

    /** Lets the migration go whatever the condition is; for the end of a test. */
    public void abandon() {
        abandoned.countDown();
    }

    private static boolean await(CountDownLatch latch, long millis) {
        try {
            return latch.await(millis, TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError("interrupted", e);
        }
    }
}
