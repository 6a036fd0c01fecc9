// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletionService;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorCompletionService;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;

/** The threads that send, one for each lane; all do the same thing at a time. Used by one thread. */
final class Senders implements AutoCloseable {

    private static final long CLOSE_SECONDS = 5;

    private final List<Lane> lanes;
    private final ExecutorService threads;

    Senders(List<Lane> lanes) {
        this.lanes = lanes;
        this.threads = Executors.newFixedThreadPool(lanes.size(), task -> {
            Thread thread = new Thread(task, "ferry-demo-sender");
            thread.setDaemon(true);
            return thread;
        });
    }

    /** One part of the sending. */
    @FunctionalInterface
    interface Part {
        /** Does it, on a thread of its own. */
        void send(Sender sender) throws IOException, InterruptedException;
    }

    /** Does a part in all lanes and waits for it; the first failure ends all of them. */
    void all(Part part) throws IOException, InterruptedException {
        CompletionService<Void> service = new ExecutorCompletionService<>(threads);
        List<Future<Void>> parts = new ArrayList<>();
        for (Lane lane : lanes) {
            parts.add(service.submit(() -> {
                part.send(lane.sender());
                return null;
            }));
        }
        try {
            for (int ended = 0; ended < parts.size(); ended++) {
                service.take().get();
            }
        } catch (ExecutionException e) {
            if (e.getCause() instanceof IOException failed) {
                throw failed;
            }
            throw new IOException("the traffic failed: " + e.getCause(), e.getCause());
        } finally {
            parts.forEach(each -> each.cancel(true));
        }
    }

    /** Ends the threads, within seconds. */
    @Override
    public void close() {
        threads.shutdownNow();
        try {
            threads.awaitTermination(CLOSE_SECONDS, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }
}
