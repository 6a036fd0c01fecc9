// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;

/** A UNIX socket, listening or connected; its kernel is the lock. */
final class FakeSocket extends FakeFile {

    /** What was sent at once, with the open files that go along. */
    record Message(byte[] bytes, List<FakeFile> files) {}

    final FakeKernel kernel;
    /** Where it listens; null for a connected one. */
    Path path;
    boolean listens;
    final Deque<FakeSocket> waiting = new ArrayDeque<>();
    final Deque<Message> arrived = new ArrayDeque<>();
    /** The other end; null when that has closed. */
    FakeSocket other;
    /** Who is at the other end. */
    int peerUser;

    FakeSocket(FakeKernel kernel) {
        this.kernel = kernel;
    }

    @Override
    short ready() {
        boolean readable = listens ? !waiting.isEmpty() : other == null || !arrived.isEmpty();
        return readable ? POLLIN | POLLOUT : POLLOUT;
    }

    @Override
    void close() {
        synchronized (kernel) {
            waiting.forEach(FakeSocket::close);
            if (other != null) {
                other.other = null;
                other = null;
            }
            kernel.notifyAll();
        }
    }
}
