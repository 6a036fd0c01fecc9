// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The clock of one device: a thread that is there while something is due, and ends with the device. Thread-safe. */
final class DeviceTimer implements TimedQueue.Timer {

    private static final Logger LOG = LoggerFactory.getLogger(DeviceTimer.class);
    private static final long IDLE_SECONDS = 10;
    private static final long CLOSE_SECONDS = 5;

    private final String name;
    private final ScheduledThreadPoolExecutor executor;
    private volatile Thread thread;

    DeviceTimer(String name) {
        this.name = name;
        executor = new ScheduledThreadPoolExecutor(1, this::thread);
        executor.setKeepAliveTime(IDLE_SECONDS, TimeUnit.SECONDS);
        executor.allowCoreThreadTimeOut(true);
    }

    private Thread thread(Runnable work) {
        Thread made = new Thread(work, name);
        made.setDaemon(true);
        thread = made;
        return made;
    }

    @Override
    public void after(long nanos, Runnable action) {
        try {
            executor.schedule(action, nanos, TimeUnit.NANOSECONDS);
        } catch (RejectedExecutionException e) {
            LOG.debug("{} has ended, so nothing is done later", name, e);
        }
    }

    @Override
    public void close() {
        executor.shutdownNow();
        if (Thread.currentThread() == thread) {
            return; // it ends when it is back here
        }
        try {
            if (!hasEnded(thread)) {
                LOG.warn("{} has not ended after {} s", name, CLOSE_SECONDS);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean hasEnded(Thread last) throws InterruptedException {
        if (last == null) {
            return true;
        }
        last.join(TimeUnit.SECONDS.toMillis(CLOSE_SECONDS));
        return !last.isAlive();
    }
}
