// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import java.util.concurrent.CountDownLatch;

/** A place in a job at which its thread stands until the test lets it go on. */
final class Halt {

    private final CountDownLatch reached = new CountDownLatch(1);
    private final CountDownLatch goOn = new CountDownLatch(1);

    /** The thread of the job has come here, and waits. */
    void here() {
        reached.countDown();
        MigrationTest.join(goOn);
    }

    /** The test waits until it has come. */
    void awaitReached() {
        MigrationTest.join(reached);
    }

    /** The test lets it go on. */
    void goOn() {
        goOn.countDown();
    }
}
