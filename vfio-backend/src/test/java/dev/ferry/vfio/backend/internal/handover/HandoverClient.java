// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;

/** The other side of a handover, as a VMM would write it from the README, layouts written out; for the lab, too. */
public final class HandoverClient implements AutoCloseable {
    private static final int LIMIT_MILLIS = 20_000;
    private static final int SEQPACKET_CLOEXEC = 5 | 0x80000;

    private final SystemCalls calls;
    private final int fd;

    public HandoverClient(SystemCalls calls, Path path) {
        this.calls = calls;
        fd = calls.socket(1, SEQPACKET_CLOEXEC, 0);
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment address = arena.allocate(110, 8);
            address.set(JAVA_SHORT, 0, (short) 1);
            address.setString(2, path.toString());
            if (calls.connect(fd, address) != 0) {
                throw new AssertionError("cannot connect to " + path);
            }
        }
    }

    /** Sends a message with descriptors; gives the answer, empty when the other side closed. */
    public String ask(String message, int... descriptors) {
        tell(message, descriptors);
        return answer();
    }

    /** Sends a message, and does not wait for the answer. */
    public void tell(String message, int... descriptors) {
        long sent = send(message, descriptors);
        if (sent != message.length()) {
            throw new AssertionError("sent " + sent);
        }
    }

    /** Whether there is something to hear, the end also. */
    public boolean isAnswered() {
        return isReady(0);
    }

    /** What the other side says unasked; empty when it closed. */
    public String hear() {
        return answer();
    }

    private long send(String message, int... descriptors) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocateFrom(message, StandardCharsets.US_ASCII);
            MemorySegment header = header(arena, bytes.asSlice(0, message.length()));
            if (descriptors.length > 0) {
                long length = 16 + 4L * descriptors.length;
                MemorySegment control = arena.allocate((length + 7) / 8 * 8, 8);
                control.set(JAVA_LONG, 0, length);
                control.set(JAVA_INT, 8, 1);
                control.set(JAVA_INT, 12, 1);
                MemorySegment.copy(descriptors, 0, control, JAVA_INT, 16, descriptors.length);
                header.set(ADDRESS, 32, control);
                header.set(JAVA_LONG, 40, control.byteSize());
            }
            return calls.sendmsg(fd, header, 0x4000);
        }
    }

    private boolean isReady(int millis) {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment poll = arena.allocate(8, 8);
            poll.set(JAVA_INT, 0, fd);
            poll.set(JAVA_SHORT, 4, (short) 1);
            return calls.poll(poll, 1, millis) != 0;
        }
    }

    private String answer() {
        if (!isReady(LIMIT_MILLIS)) {
            throw new AssertionError("no answer");
        }
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bytes = arena.allocate(1024, 8);
            long count = calls.recvmsg(fd, header(arena, bytes), 0);
            return bytes.asSlice(0, Math.max(count, 0)).asByteBuffer().hasRemaining()
                    ? StandardCharsets.US_ASCII.decode(bytes.asSlice(0, count).asByteBuffer()).toString()
                    : "";
        }
    }

    private static MemorySegment header(Arena arena, MemorySegment bytes) {
        MemorySegment vector = arena.allocate(16, 8);
        vector.set(ADDRESS, 0, bytes);
        vector.set(JAVA_LONG, 8, bytes.byteSize());
        MemorySegment header = arena.allocate(56, 8);
        header.set(ADDRESS, 16, vector);
        header.set(JAVA_LONG, 24, 1);
        return header;
    }

    @Override
    public void close() {
        calls.close(fd);
    }
}
