// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.ADDRESS;
import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/** A migratable PCI device with its kernel driver: features, states, reset, configuration space, DMA log. */
public final class FakeDevice extends FakeFile {
    public static final int STOP = 1;
    public static final int RUNNING = 2;
    public static final int STOP_COPY = 3;
    public static final int RESUMING = 4;
    public static final int PRE_COPY = 6;

    private static final long CONFIG_OFFSET = 7L << 40;

    final FakeKernel kernel;
    /** Capability flags; 0: no migration support. */
    public long flags = 7;
    public int state = RUNNING;
    /** What moves. */
    public byte[] content = "Bonjour".getBytes(StandardCharsets.US_ASCII);
    public byte[] config = new byte[256];
    public final List<String> steps = new ArrayList<>();

    // What a test can make of the driver.
    /** Errno per arc "from-to", which fails and leaves the state. */
    public final Map<String, Integer> failing = new HashMap<>();
    /** An arc that fails leaves ERROR instead of its state. */
    public boolean failsToError;
    /** A state set that failed gives a descriptor all the same. */
    public boolean descriptorWithFailure;
    /** The state changed, but no descriptor could be had: -EMFILE. */
    public boolean outOfDescriptors;
    /** A read of the data descriptor gives so many bytes at most. */
    public int shortRead = Integer.MAX_VALUE;
    /** Nothing for now is 0, as with mtty, instead of -ENOMSG. */
    public boolean zeroInPreCopy;
    /** The data descriptor is never ready. */
    public boolean silent;
    public int readErrno;
    public int writeErrno;
    /** Feature 12 is known. */
    public boolean knowsPrecopyV2;
    public boolean reinit;
    public boolean knowsDataSize = true;
    public int dataSizeErrno;
    /** What features give that are not known: ENOTTY, or EINVAL by kernels of 2022 and 2023 for mediated devices. */
    public int unknownErrno = ENOTTY;
    /** It has a configuration space. */
    public boolean pci = true;
    /** Runs once, behind the next read of a data descriptor and before its answer arrives. */
    public Runnable behindRead = () -> {};
    /** A state set that succeeds gives a descriptor where none belongs. */
    public boolean strayDescriptor;
    /** Runs once, when the next state set was done and before its answer arrives. */
    public Runnable behindSet = () -> {};
    /** Ranges the device's log can keep; -1: it has no log. */
    public int logRanges = 4;
    public int reportErrno;
    public int stopErrno;
    public boolean logging;
    /** Pages of 4096 bytes that the device wrote, by number. */
    public final TreeSet<Long> written = new TreeSet<>();
    public int loggedRanges;

    boolean precopyV2;
    FakeSaving saving;
    FakeResuming resuming;

    public FakeDevice(FakeKernel kernel) {
        this.kernel = kernel;
        config[0] = (byte) 0xF4;
        config[1] = 0x1A;
        config[2] = 0x41;
        config[3] = 0x10;
        config[0x0B] = 2;
    }

    @Override
    int ioctl(int request, MemorySegment argument) {
        return switch (request) {
            case 0x3B75 -> argument.address() == 0 ? -EFAULT : feature(argument);
            case 0x3B6F -> reset();
            case 0x3B6B -> info(argument);
            case 0x3B6C -> region(argument);
            default -> -ENOTTY;
        };
    }

    private int info(MemorySegment argument) {
        argument.set(JAVA_INT, 4, pci ? 3 : 1);
        argument.set(JAVA_INT, 8, 9);
        argument.set(JAVA_INT, 12, 5);
        return 0;
    }

    private int region(MemorySegment argument) {
        if (argument.get(JAVA_INT, 8) != 7) {
            return -EINVAL;
        }
        argument.set(JAVA_LONG, 16, config.length);
        argument.set(JAVA_LONG, 24, CONFIG_OFFSET);
        return 0;
    }

    /** Four bytes at a time at most, as drivers that emulate registers do. */
    @Override
    long pread(MemorySegment into, long offset) {
        int count = (int) Math.min(4, into.byteSize());
        MemorySegment.copy(config, (int) (offset - CONFIG_OFFSET), into, JAVA_BYTE, 0, count);
        return count;
    }

    @Override
    long pwrite(MemorySegment from, long offset) {
        int count = (int) Math.min(4, from.byteSize());
        int at = (int) (offset - CONFIG_OFFSET);
        steps.add("config 0x%02x".formatted(at));
        if (at >= 4) {
            MemorySegment.copy(from, JAVA_BYTE, 0, config, at, count);
        }
        return count;
    }

    /** Another user of the device, or a hot reset. */
    public int reset() {
        endSessions();
        state = RUNNING;
        steps.add("reset");
        return 0;
    }

    private void endSessions() {
        if (saving != null) {
            saving.dead = true;
        }
        if (resuming != null) {
            resuming.dead = true;
        }
        saving = null;
        resuming = null;
    }

    private int feature(MemorySegment argument) {
        int argsz = argument.get(JAVA_INT, 0);
        int word = argument.get(JAVA_INT, 4);
        boolean probe = (word & 0x40000) != 0;
        if (argsz < 8 || (word & 0x30000) == 0x30000 && !probe || (word & ~0x7FFFF) != 0) {
            return -EINVAL;
        }
        MemorySegment data = argument.asSlice(8, argsz - 8);
        return switch (word & 0xFFFF) {
            case 1 -> checked(word, 0x10000, 8, data, flags != 0, this::getMigration);
            case 2 -> checked(word, 0x30000, 8, data, flags != 0, body ->
                    (word & 0x20000) != 0 ? setState(body) : getState(body));
            case 6 -> checked(word, 0x20000, 24, data, logRanges >= 0, this::startLog);
            case 7 -> checked(word, 0x20000, 0, data, logRanges >= 0, body -> stopLog());
            case 8 -> checked(word, 0x10000, 32, data, logRanges >= 0, this::reportLog);
            case 9 -> checked(word, 0x10000, 8, data, flags != 0 && knowsDataSize, this::dataSize);
            case 12 -> checked(word, 0x20000, 0, data, knowsPrecopyV2, body -> enablePrecopyV2());
            default -> -unknownErrno;
        };
    }

    private interface Handler {
        int run(MemorySegment data);
    }

    private int checked(int word, int operations, int leastBytes, MemorySegment data, boolean known, Handler handler) {
        if (!known) {
            return -unknownErrno;
        }
        if ((word & 0x30000 & ~operations) != 0) {
            return -EINVAL;
        }
        if ((word & 0x40000) != 0) {
            return 0;
        }
        return (word & 0x30000) == 0 || data.byteSize() < leastBytes ? -EINVAL : handler.run(data);
    }

    private int getMigration(MemorySegment data) {
        data.set(JAVA_LONG, 0, flags);
        return 0;
    }

    private int getState(MemorySegment data) {
        data.set(JAVA_INT, 0, state);
        data.set(JAVA_INT, 4, -1);
        return 0;
    }

    private int dataSize(MemorySegment data) {
        if (dataSizeErrno != 0) {
            return -dataSizeErrno;
        }
        data.set(JAVA_LONG, 0, FakeSaving.HEADER.length + 1L + content.length);
        return 0;
    }

    private int enablePrecopyV2() {
        precopyV2 = true;
        return 0;
    }

    private int setState(MemorySegment data) {
        int wanted = data.get(JAVA_INT, 0);
        data.set(JAVA_INT, 4, -1);
        FakeFile opened = null;
        while (state != wanted) {
            int next = NextState.of(flags, state, wanted);
            int errno = next < 0 ? EINVAL : arcError(state, next);
            if (errno != 0) {
                if (descriptorWithFailure) {
                    data.set(JAVA_INT, 4, kernel.install(new FakeSaving(this)));
                }
                return -errno;
            }
            opened = arc(state, next);
            steps.add(state + "-" + next);
            state = next;
        }
        Runnable behind = behindSet;
        behindSet = () -> {};
        behind.run();
        if (opened != null && outOfDescriptors) {
            return -24;
        }
        if (opened != null || strayDescriptor) {
            data.set(JAVA_INT, 4, kernel.install(opened != null ? opened : new FakeSaving(this)));
        }
        return 0;
    }

    private int arcError(int from, int to) {
        Integer errno = failing.get(from + "-" + to);
        if (errno != null) {
            if (failsToError) {
                endSessions();
                state = 0;
            }
            return errno;
        }
        return from == RESUMING && !resuming.isComplete() ? EINVAL : 0;
    }

    private FakeFile arc(int from, int to) {
        boolean wasSaving = from == STOP_COPY || from >= PRE_COPY;
        boolean isSaving = to == STOP_COPY || to >= PRE_COPY;
        if (from == RESUMING) {
            content = resuming.content();
        }
        if (wasSaving && !isSaving || from == RESUMING) {
            endSessions();
        }
        if (to == RESUMING) {
            resuming = new FakeResuming(this);
            return resuming;
        }
        if (isSaving && !wasSaving) {
            saving = new FakeSaving(this);
            return saving;
        }
        return null;
    }

    private int startLog(MemorySegment data) {
        int ranges = data.get(JAVA_INT, 8);
        if (ranges > 256 || ranges > logRanges) {
            return -7;
        }
        if (logging || ranges == 0 || data.get(ADDRESS, 16).address() == 0) {
            return -EINVAL;
        }
        logging = true;
        loggedRanges = ranges;
        return 0;
    }

    private int stopLog() {
        if (stopErrno != 0) {
            return -stopErrno;
        }
        logging = false;
        return 0;
    }

    private int reportLog(MemorySegment data) {
        if (reportErrno != 0) {
            return -reportErrno;
        }
        if (!logging) {
            return -EINVAL;
        }
        mark(written, data.get(JAVA_LONG, 0), data.get(JAVA_LONG, 8), data.get(JAVA_LONG, 16), data.get(JAVA_LONG, 24));
        return 0;
    }

    /** Sets bits for pages of 4096 bytes in a bitmap of u64 words, and clears them. */
    @SuppressWarnings("restricted")
    static void mark(TreeSet<Long> pages, long iova, long length, long pageSize, long address) {
        MemorySegment words = MemorySegment.ofAddress(address).reinterpret((length / pageSize + 63) / 64 * 8);
        for (Long page : List.copyOf(pages)) {
            long at = page * 4096 - iova;
            if (at >= 0 && at < length) {
                long bit = at / pageSize;
                words.set(JAVA_LONG, bit / 64 * 8, words.get(JAVA_LONG, bit / 64 * 8) | 1L << bit % 64);
                pages.remove(page);
            }
        }
    }
}
