// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.PrecopyInfo;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.DeviceState;
import dev.ferry.stream.VfioStateRecord;
import dev.ferry.vfio.backend.internal.uapi.DeviceFeature.Precopy;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import java.io.IOException;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.util.Optional;
import java.util.function.IntSupplier;

/**
 * Reads the state of a device from the kernel's data descriptor and puts {@link VfioStateRecord records} around it:
 * data as they come, the configuration space behind them, the end.
 *
 * <p>A direct buffer is filled by the kernel itself. What a read of 0 bytes means follows from the device's state, not
 * from the kernel driver's answer: the {@code mtty} sample gives 0 in PRE_COPY, where the user API asks for ENOMSG.
 */
final class VfioSavingSession extends VfioSession implements SavingSession {
    /** With less room than this the header would be most of what a read gives. */
    private static final int LEAST_DIRECT_BYTES = 4096;

    private static final String PRECOPY_INFO = "VFIO_MIG_GET_PRECOPY_INFO";
    private static final int NOTHING_YET = 0;
    private static final int END = -1;

    private final TransferBuffer transfer;
    private final Optional<ConfigSpace> config;
    private final boolean flagsAreReliable;
    private final IntSupplier waitMillis;

    /** What was fetched and not yet handed on; headers included. */
    private ByteBuffer pending = ByteBuffer.allocate(0);

    private boolean complete;
    /** The device is stopped: from now on a read may wait, and the end is the end. */
    private volatile boolean finalPart;

    VfioSavingSession(
            VfioDevice device,
            DataDescriptor data,
            TransferBuffer transfer,
            Optional<ConfigSpace> config,
            boolean flagsAreReliable,
            IntSupplier waitMillis) {
        super(device, data);
        this.transfer = transfer;
        this.config = config;
        this.flagsAreReliable = flagsAreReliable;
        this.waitMillis = waitMillis;
    }

    /** The device went to STOP_COPY. */
    void beginFinalPart() {
        finalPart = true;
    }

    @Override
    public int read(ByteBuffer into) throws IOException {
        synchronized (transfer) {
            requireUsable();
            boolean done = false;
            try {
                int count = into.hasRemaining() ? next(into) : 0;
                done = true;
                return count;
            } finally {
                if (!done) {
                    fail();
                }
            }
        }
    }

    private int next(ByteBuffer into) throws DeviceException {
        if (!pending.hasRemaining() && !complete) {
            if (into.isDirect() && into.remaining() >= LEAST_DIRECT_BYTES) {
                int count = readDirectly(into);
                if (count != END) {
                    return count;
                }
            } else {
                fetch();
            }
        }
        return drain(into);
    }

    private int readDirectly(ByteBuffer into) throws DeviceException {
        int begin = into.position();
        ByteBuffer room =
                into.slice(begin + VfioStateRecord.HEADER_BYTES, into.remaining() - VfioStateRecord.HEADER_BYTES);
        int count = readData(MemorySegment.ofBuffer(room));
        if (count <= 0) {
            return count == END ? finish() : count;
        }
        VfioStateRecord.DATA.putHeader(into, begin, count);
        into.position(begin + VfioStateRecord.HEADER_BYTES + count);
        return VfioStateRecord.HEADER_BYTES + count;
    }

    private void fetch() throws DeviceException {
        ByteBuffer room = transfer.bytes();
        int count = readData(MemorySegment.ofBuffer(room).asSlice(VfioStateRecord.HEADER_BYTES));
        if (count > 0) {
            VfioStateRecord.DATA.putHeader(room, 0, count);
            pending = room.slice(0, VfioStateRecord.HEADER_BYTES + count);
        } else if (count == END) {
            finish();
        }
    }

    /** All data were read: what follows them becomes pending. */
    private int finish() throws DeviceException {
        byte[] space = config.isPresent() ? config.get().save() : new byte[0];
        int configBytes = config.isPresent() ? VfioStateRecord.HEADER_BYTES + space.length : 0;
        ByteBuffer tail = ByteBuffer.allocate(configBytes + VfioStateRecord.HEADER_BYTES);
        if (config.isPresent()) {
            VfioStateRecord.CONFIG.putHeader(tail, 0, space.length);
            tail.put(VfioStateRecord.HEADER_BYTES, space);
        }
        VfioStateRecord.END.putHeader(tail, configBytes, 0);
        pending = tail;
        complete = true;
        return END;
    }

    private int drain(ByteBuffer into) {
        if (!pending.hasRemaining()) {
            return complete ? END : NOTHING_YET;
        }
        int count = Math.min(into.remaining(), pending.remaining());
        into.put(into.position(), pending, pending.position(), count);
        into.position(into.position() + count);
        pending.position(pending.position() + count);
        return count;
    }

    private int readData(MemorySegment into) throws DeviceException {
        boolean last = finalPart;
        long result = data.read(into, transfer.poll(), last ? waitMillis.getAsInt() : 0);
        if (result > 0) {
            return (int) result;
        }
        if (result == 0) {
            return whatNothingMeans(last);
        }
        if (!last && (result == -LinuxErrno.ENOMSG || result == -LinuxErrno.EAGAIN)) {
            return NOTHING_YET;
        }
        throw readFailure(result);
    }

    /**
     * What a read of 0 bytes means.
     *
     * @param last the device was stopped before the read: if it was stopped meanwhile, there is more to come
     */
    private int whatNothingMeans(boolean last) throws DeviceException {
        DeviceState state = device.state();
        if (last && state == DeviceState.STOP_COPY) {
            return END;
        }
        if (state.isSaving()) {
            return NOTHING_YET;
        }
        drop();
        throw new DeviceException(Errno.ENODEV,
                "the data transfer session of %s has ended: the device is in %s".formatted(device.name(), state));
    }

    private DeviceException readFailure(long result) {
        if (result == -LinuxErrno.ENODEV) {
            drop();
        }
        if (result == -LinuxErrno.EAGAIN) {
            return new DeviceException(Errno.ETIMEDOUT,
                    "%s is stopped and gave no data within %d ms".formatted(device.name(), waitMillis.getAsInt()));
        }
        return failure(result);
    }

    @Override
    public boolean announcesReinitialization() {
        return flagsAreReliable;
    }

    @Override
    public PrecopyInfo precopyInfo() throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            // zeroed: old drivers give back what they got
            MemorySegment info = arena.allocate(Precopy.BYTES, Long.BYTES);
            info.set(JAVA_INT, Precopy.ARGSZ, Precopy.BYTES);
            long result = data.descriptor().use(fd ->
                    device.calls().ioctl(fd, VfioIoctl.VFIO_MIG_GET_PRECOPY_INFO, info));
            requireInfo(result);
            return new PrecopyInfo(
                    size(info, Precopy.INITIAL_BYTES),
                    size(info, Precopy.DIRTY_BYTES),
                    flagsAreReliable && (info.get(JAVA_INT, Precopy.FLAGS) & Precopy.VFIO_PRECOPY_INFO_REINIT) != 0);
        }
    }

    private void requireInfo(long result) throws DeviceException {
        if (result == -LinuxErrno.ENOTTY) { // the descriptor of a kernel driver without PRE_COPY
            KernelException cause = device.failure(PRECOPY_INFO, result);
            throw new DeviceException(Errno.EINVAL, KernelException.reason(cause), cause);
        }
        device.require(result, PRECOPY_INFO);
    }

    private static long size(MemorySegment info, int field) {
        long size = info.get(JAVA_LONG, field);
        return size < 0 ? Long.MAX_VALUE / 2 : size; // unsigned, and the two are added
    }
}
