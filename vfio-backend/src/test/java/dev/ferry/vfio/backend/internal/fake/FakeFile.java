// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import java.lang.foreign.MemorySegment;

/** An open file of the fake kernel; answers as system calls do. */
abstract class FakeFile {
    static final int EBADF = 9;
    static final int EFAULT = 14;
    static final int EINVAL = 22;
    static final int ENOTTY = 25;
    static final int ESPIPE = 29;

    int ioctl(int request, MemorySegment argument) {
        return -ENOTTY;
    }

    int ioctl(int request, long argument) {
        return -ENOTTY;
    }

    long read(MemorySegment into) {
        return -EBADF;
    }

    long write(MemorySegment from) {
        return -EBADF;
    }

    long pread(MemorySegment into, long offset) {
        return -ESPIPE;
    }

    long pwrite(MemorySegment from, long offset) {
        return -ESPIPE;
    }

    boolean isReady() {
        return true;
    }

    void close() {
        // Nothing is held.
    }
}
