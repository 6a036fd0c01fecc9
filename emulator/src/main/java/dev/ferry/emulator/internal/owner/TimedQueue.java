// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.device.DeviceException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.function.ToLongFunction;

/**
 * An admin queue of a device that takes its time: one command after the other in the order of submission, each complete
 * before the device comes to the next, as the text demands of a queue; other queues go on meanwhile. A command takes
 * effect when it completes, on the thread of the timer. Thread-safe; no lock is held while a command is executed or its
 * caller told.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Administration
 *     Virtqueues"</a>
 */
final class TimedQueue {

    private record Waiting(SubmittedCommand submitted, CompletableFuture<Integer> used) {}

    /** Calls back later, on a thread of its own, earlier deadlines first; never on the thread that asks. */
    interface Timer {
        /** Runs the action after a time, 0 or more, or never when it was closed. */
        void after(long nanos, Runnable action);

        /** Drops what is due later and waits, within a bound, for what is being done. */
        default void close() {}
    }

    /** What executes a command when its time has come. */
    @FunctionalInterface
    interface Execution {
        /** Gives the used length; fails when the device is gone. */
        int execute(SubmittedCommand submitted) throws DeviceException;
    }

    private final Timer timer;
    private final ToLongFunction<SubmittedCommand> nanos;
    private final Execution execution;

    /** The first one is the one that the device is at. Guarded by this object's monitor. */
    private final Deque<Waiting> waiting = new ArrayDeque<>();
    /** Null while the queue works. Guarded by this object's monitor. */
    private DeviceException failure;

    /**
     * An empty queue.
     *
     * @param nanos how long a command takes, asked when the device comes to it
     */
    TimedQueue(Timer timer, ToLongFunction<SubmittedCommand> nanos, Execution execution) {
        this.timer = timer;
        this.nanos = nanos;
        this.execution = execution;
    }

    /** Adds a command; as {@link dev.ferry.virtio.AdminQueue#submit}. */
    CompletionStage<Integer> submit(SubmittedCommand submitted) {
        Waiting last = new Waiting(submitted, new CompletableFuture<>());
        synchronized (this) {
            if (failure != null) {
                return CompletableFuture.failedStage(failure);
            }
            waiting.add(last);
            if (waiting.size() > 1) {
                return last.used();
            }
        }
        begin(last);
        return last.used();
    }

    /** Fails what waits and whatever comes. */
    void close(DeviceException why) {
        List<Waiting> given;
        synchronized (this) {
            failure = why;
            given = new ArrayList<>(waiting);
            waiting.clear();
        }
        given.forEach(each -> each.used().completeExceptionally(why));
    }

    private void begin(Waiting first) {
        timer.after(nanos.applyAsLong(first.submitted()), () -> complete(first));
    }

    private void complete(Waiting done) {
        if (done.used().isDone()) {
            return;
        }
        Runnable tell = execute(done);
        beginNext(done);
        tell.run();
    }

    /** Gives what tells the caller; an error, too, concerns this command alone, and the next one has its turn. */
    private Runnable execute(Waiting done) {
        try {
            int used = execution.execute(done.submitted());
            return () -> done.used().complete(used);
        } catch (DeviceException | RuntimeException | Error e) {
            return () -> done.used().completeExceptionally(e);
        }
    }

    private void beginNext(Waiting done) {
        Waiting next;
        synchronized (this) {
            if (waiting.peek() == done) {
                waiting.remove();
            }
            next = waiting.peek();
        }
        if (next != null) {
            begin(next);
        }
    }
}
