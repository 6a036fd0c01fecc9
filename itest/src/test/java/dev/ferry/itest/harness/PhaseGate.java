// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;

/** Holds a migration at the beginning of one phase, until it is let go, so that a test can act in just that phase. */
public final class PhaseGate implements MigrationListener {
    private final MigrationPhase phase;
    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch open = new CountDownLatch(1);

    public PhaseGate(MigrationPhase phase) {
        this.phase = phase;
    }

    @Override
    public void onEvent(MigrationEvent event) {
        if (event instanceof MigrationEvent.PhaseStarted started && started.phase() == phase) {
            reached.countDown();
            await(open, "nobody opened the gate at " + phase);
        }
    }

    /** Waits until the migration stands at the gate. */
    public void awaitReached() {
        await(reached, "the migration did not reach " + phase);
    }

    /** Lets the migration go. */
    public void open() {
        open.countDown();
    }

    private static void await(CountDownLatch latch, String failure) {
        try {
            if (!latch.await(Await.LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
                throw new AssertionError(failure + " within " + Await.LIMIT);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new AssertionError(failure, e);
        }
    }
}
