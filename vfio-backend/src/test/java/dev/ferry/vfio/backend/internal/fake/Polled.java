// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_SHORT;

import java.lang.foreign.MemorySegment;
import java.util.Map;

/** The array that a poll is given: descriptor, wanted and found events, 8 bytes each. */
final class Polled {
    private static final short POLLNVAL = 0x20;

    private Polled() {}

    static boolean hasSocket(Map<Integer, FakeFile> open, MemorySegment fds, int count) {
        for (long at = 0; at < 8L * count; at += 8) {
            if (open.get(fds.get(JAVA_INT, at)) instanceof FakeSocket) {
                return true;
            }
        }
        return false;
    }

    /** Fills in what was found; how many files are ready. */
    static int look(Map<Integer, FakeFile> open, MemorySegment fds, int count) {
        int ready = 0;
        for (long at = 0; at < 8L * count; at += 8) {
            int fd = fds.get(JAVA_INT, at);
            FakeFile file = open.get(fd);
            int wanted = fds.get(JAVA_SHORT, at + 4);
            int found = fd < 0 ? 0 : file == null ? POLLNVAL : wanted & file.ready();
            fds.set(JAVA_SHORT, at + 6, (short) found);
            ready += found == 0 ? 0 : 1;
        }
        return ready;
    }
}
