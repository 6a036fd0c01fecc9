// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_INT;

import java.lang.foreign.MemorySegment;
import java.util.function.IntSupplier;

/** An open file of the fake kernel; answers as system calls do. */
public abstract class FakeFile {
    static final int EPERM = 1;
    static final int ENOENT = 2;
    static final int E2BIG = 7;
    static final int EBADF = 9;
    static final int EACCES = 13;
    static final int EBUSY = 16;
    static final int EEXIST = 17;
    static final int ENODEV = 19;
    static final int EINVAL = 22;
    static final int EFAULT = 14;
    static final int EMFILE = 24;
    static final int ENOTTY = 25;
    static final int ESPIPE = 29;
    static final int EOVERFLOW = 75;
    static final int EOPNOTSUPP = 95;

    static final short POLLIN = 1;
    static final short POLLOUT = 4;

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

    /** What a poll would find; files without a poll of their own are always ready. */
    short ready() {
        return POLLIN | POLLOUT;
    }

    /** It got its first number. */
    void opened() {
        // Nothing is counted.
    }

    /** Its last number was closed. */
    void close() {
        // Nothing is held.
    }

    /**
     * Looks at a structure that begins with its own size, as every one of VFIO and iommufd does.
     *
     * @param least what the kernel copies in: with less it refuses
     */
    static int sized(MemorySegment argument, int least, IntSupplier answer) {
        if (argument.address() == 0) {
            return -EFAULT;
        }
        requireOwned(argument, argument.get(JAVA_INT, 0));
        return Integer.compareUnsigned(argument.get(JAVA_INT, 0), least) < 0 ? -EINVAL : answer.getAsInt();
    }

    /** The kernel goes by the size it is told: more than there is would be other memory of the process. */
    static void requireOwned(MemorySegment argument, int size) {
        if (Integer.toUnsignedLong(size) > argument.byteSize() || argument.address() % Long.BYTES != 0) {
            throw new AssertionError("%d bytes are said to be behind a pointer to %s".formatted(size, argument));
        }
    }
}
