// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.device.IovaRange;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;

/**
 * A migratable device with its kernel driver: features, reset, configuration space; states are {@link FakeStates}, the
 * log of its writes is {@link FakeDmaLog}.
 */
public final class FakeDevice extends FakeFile {
    public static final int STOP = 1;
    public static final int RUNNING = 2;
    public static final int STOP_COPY = 3;
    public static final int RESUMING = 4;
    public static final int PRE_COPY = 6;

    private static final int CONFIG_REGION = 7;
    private static final int REGIONS = 9;
    private static final int REGION_SHIFT = 40;

    final FakeKernel kernel;
    /** Capability flags; 0: no migration support. */
    public long flags = 7;
    public int state = RUNNING;
    /** What moves. */
    public byte[] content = "Bonjour".getBytes(StandardCharsets.US_ASCII);
    public byte[] config = new byte[256];
    /** Regions beside the configuration space, by index. */
    public final Map<Integer, byte[]> regions = new HashMap<>();
    public final List<String> steps = new ArrayList<>();

    // What a test can make of the driver.
    /** Errno per arc "from-to", which fails and leaves the state. */
    public final Map<String, Integer> failing = new HashMap<>();
    /** An arc that fails leaves ERROR instead of its state. */
    public boolean failsToError;
    /** Not -1: the state changed, but the number of its descriptor could not be told and is another file's; -EFAULT. */
    public int takenBack = -1;
    /** The state changed, but no descriptor could be had: -EMFILE. */
    public boolean outOfDescriptors;
    /** A state set that succeeds gives a descriptor where none belongs. */
    public boolean strayDescriptor;
    /** The state that a reset leads to. */
    public int stateAfterReset = RUNNING;
    /** A read or write of data moves so many bytes at most. */
    public int shortRead = Integer.MAX_VALUE;
    /** A read or write of a region moves so many bytes at most; drivers that emulate registers take four. */
    public int shortRegion = 4;
    /** Runs before data are taken. */
    public Runnable onWrite = () -> {};
    /** A write to a region moves nothing, without an error. */
    public boolean noRegionWrites;
    /** Nothing for now is 0, as with mtty, instead of -ENOMSG. */
    public boolean zeroInPreCopy;
    /** The data descriptor is never ready. */
    public boolean silent;
    /** Feature 12 is known. */
    public boolean knowsPrecopyV2;
    /** The sizes in the pre-copy information, unsigned; null: what they are. */
    public Long precopyBytes;
    public boolean knowsDataSize = true;
    /** The estimate of the state's size, unsigned; null: what it is. */
    public Long dataSize;
    /** What features give that are not known: ENOTTY, or EINVAL by kernels of 2022 and 2023 for mediated devices. */
    public int unknownErrno = ENOTTY;
    /** It has a configuration space. */
    public boolean pci = true;
    /** It says that it can be reset. */
    public boolean promisesReset = true;
    boolean mediated;
    /** Runs once, behind the next read of a data descriptor and before its answer arrives. */
    public Runnable behindRead = () -> {};
    /** Runs once, when the next state set was done and before its answer arrives. */
    public Runnable behindSet = () -> {};

    // The log of its writes.
    /** Ranges the device's log can keep; -1: it has no log. */
    public int logRanges = 4;
    public int tooManyRangesErrno = E2BIG;
    /** With fewer bytes in all ranges it keeps no log. */
    public long leastLogBytes;
    public boolean logging;
    public List<IovaRange> loggedRanges = List.of();
    public long loggedPageSize;
    /** Pages of 4096 bytes that the device wrote, by number. */
    public final TreeSet<Long> written = new TreeSet<>();

    private final FakeDmaLog log = new FakeDmaLog(this);
    final FakeStates states = new FakeStates(this);
    public boolean precopyV2;
    private int users;

    public FakeDevice(FakeKernel kernel) {
        this.kernel = kernel;
        config[0] = (byte) 0xF4;
        config[1] = 0x1A;
        config[2] = 0x41;
        config[3] = 0x10;
        config[0x0B] = 2;
    }

    @Override
    void opened() {
        users++;
    }

    /** The state stays for whoever opens it next; sessions, the log and what was asked for end with the last user. */
    @Override
    void close() {
        if (--users == 0) {
            states.endSessions();
            precopyV2 = false;
            logging = false;
        }
    }

    @Override
    int ioctl(int request, MemorySegment argument) {
        return switch (request) {
            case 0x3B75 -> sized(argument, 8, () -> feature(argument));
            case 0x3B6F -> kernel.answer(Request.RESET, this::reset);
            case 0x3B6B -> kernel.answer(Request.DEVICE_GET_INFO, () -> sized(argument, 16, () -> info(argument)));
            case 0x3B6C -> kernel.answer(Request.GET_REGION_INFO, () -> sized(argument, 32, () -> region(argument)));
            default -> -ENOTTY;
        };
    }

    private int info(MemorySegment argument) {
        argument.set(JAVA_INT, 4, (promisesReset ? 1 : 0) | (pci ? 2 : 0));
        argument.set(JAVA_INT, 8, REGIONS);
        argument.set(JAVA_INT, 12, 5);
        return 0;
    }

    private byte[] region(int index) {
        return index == CONFIG_REGION ? config : regions.getOrDefault(index, new byte[0]);
    }

    private int region(MemorySegment argument) {
        int index = argument.get(JAVA_INT, 8);
        if (Integer.compareUnsigned(index, REGIONS) >= 0) {
            return -EINVAL;
        }
        argument.set(JAVA_INT, 4, 3);
        argument.set(JAVA_LONG, 16, region(index).length);
        argument.set(JAVA_LONG, 24, (long) index << REGION_SHIFT);
        return 0;
    }

    @Override
    long pread(MemorySegment into, long offset) {
        return kernel.answer(Request.REGION_READ, () -> {
            byte[] region = region((int) (offset >> REGION_SHIFT));
            int at = (int) (offset & (1L << REGION_SHIFT) - 1);
            if (at >= region.length) {
                return -EINVAL;
            }
            int count = (int) Math.min(Math.min(shortRegion, into.byteSize()), region.length - at);
            MemorySegment.copy(region, at, into, JAVA_BYTE, 0, count);
            return count;
        });
    }

    @Override
    long pwrite(MemorySegment from, long offset) {
        return kernel.answer(Request.REGION_WRITE, () -> {
            int index = (int) (offset >> REGION_SHIFT);
            byte[] region = region(index);
            int at = (int) (offset & (1L << REGION_SHIFT) - 1);
            if (at >= region.length) {
                return -EINVAL;
            }
            int most = noRegionWrites ? 0 : shortRegion;
            int count = (int) Math.min(Math.min(most, from.byteSize()), region.length - at);
            steps.add((index == CONFIG_REGION ? "config" : "region " + index) + " 0x%02x".formatted(at));
            if (index != CONFIG_REGION || at >= 4) { // what it is cannot be written
                MemorySegment.copy(from, JAVA_BYTE, 0, region, at, count);
            }
            return count;
        });
    }

    /** By a user of the device, or a hot reset. */
    public int reset() {
        states.endSessions();
        state = stateAfterReset;
        steps.add("reset");
        return 0;
    }

    /** The device writes so many bytes of state anew while it is saved. */
    public void changeState(int bytes) {
        states.saving().change(bytes);
    }

    /** The device makes so many new initial bytes; the next information says so where somebody asked for that. */
    public void reinitialize(int bytes) {
        states.saving().reinitialize(bytes);
    }

    private int feature(MemorySegment argument) {
        int word = argument.get(JAVA_INT, 4);
        boolean probe = (word & 0x40000) != 0;
        if ((word & 0x30000) == 0x30000 && !probe || (word & ~0x7FFFF) != 0) {
            return -EINVAL;
        }
        MemorySegment data = argument.asSlice(8, argument.get(JAVA_INT, 0) - 8);
        boolean migrates = flags != 0;
        boolean logs = logRanges >= 0;
        return switch (word & 0xFFFF) {
            case 1 -> checked(Request.GET_MIGRATION, word, 8, data, migrates, this::getMigration);
            case 2 -> (word & 0x20000) != 0
                    ? checked(Request.SET_STATE, word, 8, data, migrates, states::set)
                    : checked(Request.GET_STATE, word, 8, data, migrates, states::get);
            case 6 -> checked(Request.LOGGING_START, word, 24, data, logs, log::start);
            case 7 -> checked(Request.LOGGING_STOP, word, 0, data, logs, body -> log.stop());
            case 8 -> checked(Request.LOGGING_REPORT, word, 32, data, logs, log::report);
            case 9 -> checked(Request.DATA_SIZE, word, 8, data, migrates && knowsDataSize, this::getDataSize);
            case 12 -> checked(Request.PRECOPY_INFO_V2, word, 0, data, knowsPrecopyV2, body -> enablePrecopyV2());
            default -> -unknownErrno;
        };
    }

    private interface Handler {
        int run(MemorySegment data);
    }

    private static int operations(Request request) {
        return switch (request) {
            case GET_STATE, SET_STATE -> 0x30000;
            case LOGGING_START, LOGGING_STOP, PRECOPY_INFO_V2 -> 0x20000;
            default -> 0x10000;
        };
    }

    private int checked(Request request, int word, int least, MemorySegment data, boolean known, Handler handler) {
        if (!known) {
            return -unknownErrno;
        }
        if ((word & 0x30000 & ~operations(request)) != 0) {
            return -EINVAL;
        }
        if ((word & 0x40000) != 0) {
            return 0;
        }
        boolean whole = (word & 0x30000) != 0 && data.byteSize() >= least;
        return whole ? kernel.answer(request, () -> handler.run(data)) : -EINVAL;
    }

    private int getMigration(MemorySegment data) {
        data.set(JAVA_LONG, 0, flags);
        return 0;
    }

    private int getDataSize(MemorySegment data) {
        data.set(JAVA_LONG, 0, dataSize == null ? FakeSaving.HEADER.length + 1L + content.length : dataSize);
        return 0;
    }

    private int enablePrecopyV2() {
        if ((flags & 4) == 0) {
            return -EINVAL;
        }
        precopyV2 = true;
        return 0;
    }
}
