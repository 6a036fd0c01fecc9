// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import java.nio.charset.StandardCharsets;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Another process at the other end of a socket, a VMM say. */
public final class FakePeer implements AutoCloseable {
    private static final long PATIENCE_MILLIS = 60_000;

    private final FakeSocket socket;

    FakePeer(FakeSocket socket) {
        this.socket = socket;
    }

    /** Sends a message with open files; gives the answer, empty when the other side closed. */
    public String ask(String message, FakeFile... files) {
        synchronized (socket.kernel) {
            if (socket.other != null) {
                byte[] bytes = message.getBytes(StandardCharsets.US_ASCII);
                socket.other.arrived.add(new FakeSocket.Message(bytes, List.of(files)));
                socket.kernel.notifyAll();
            }
            return answer();
        }
    }

    private String answer() {
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(PATIENCE_MILLIS);
        try {
            while (socket.arrived.isEmpty() && socket.other != null) {
                long rest = TimeUnit.NANOSECONDS.toMillis(deadline - System.nanoTime());
                if (rest <= 0) {
                    throw new AssertionError("no answer");
                }
                socket.kernel.wait(rest);
            }
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
        return socket.arrived.isEmpty() ? "" : new String(socket.arrived.poll().bytes(), StandardCharsets.US_ASCII);
    }

    /** The process goes. */
    @Override
    public void close() {
        socket.close();
    }
}
