// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.stream.VfioStateRecord;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import dev.ferry.vfio.backend.internal.uapi.PciConfig;
import java.io.IOException;
import java.lang.foreign.MemorySegment;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;

/**
 * Takes the bytes of a {@link VfioSavingSession}, in any segmentation: writes data to the kernel's descriptor and
 * restores the configuration space. Takes what such a session gives and nothing else: data, then the configuration
 * space once if the device has one, then the end.
 *
 * <p>A failed write is the end of the session, even where the kernel would go on: the {@code mtty} sample loads a state
 * whose bytes it has refused before.
 */
final class VfioResumingSession extends VfioSession implements ResumingSession {
    private final TransferBuffer transfer;
    private final Optional<ConfigSpace> config;
    private final IntSupplier waitMillis;

    private final ByteBuffer header =
            ByteBuffer.allocate(VfioStateRecord.HEADER_BYTES).order(ByteOrder.BIG_ENDIAN);

    /** The record that its bytes are being taken of; null between records. */
    private VfioStateRecord record;

    private long rest;

    /** Of {@link System#nanoTime}, for the call that runs: many small writes of the kernel's may not add up. */
    private long deadline;

    private int restMillis;

    private boolean late;

    /** The saved configuration space, from its record's header on: the data end where it begins. */
    private Optional<ByteBuffer> space = Optional.empty();

    private boolean complete;

    VfioResumingSession(
            VfioDevice device,
            DataDescriptor data,
            TransferBuffer transfer,
            Optional<ConfigSpace> config,
            IntSupplier waitMillis) {
        super(device, data);
        this.transfer = transfer;
        this.config = config;
        this.waitMillis = waitMillis;
    }

    /**
     * A state may only be set to work when all of it was taken.
     *
     * @throws DeviceException EINVAL when more is missing, or when some of it was refused
     */
    void requireComplete() throws DeviceException {
        if (hasFailed()) {
            throw new DeviceException(Errno.EINVAL,
                    "the state given to %s was refused; reset the device".formatted(device.name()));
        }
        if (!complete) {
            throw new DeviceException(Errno.EINVAL,
                    "the state given to %s is incomplete; give it the rest, or reset the device"
                            .formatted(device.name()));
        }
    }

    @Override
    public int write(ByteBuffer from) throws IOException {
        synchronized (transfer) {
            requireUsable();
            int count = from.remaining();
            late = false;
            restMillis = waitMillis.getAsInt();
            deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(restMillis);
            boolean done = false;
            try {
                while (from.hasRemaining()) {
                    take(from);
                }
                done = true;
            } finally {
                if (!done) {
                    fail();
                }
            }
            return count;
        }
    }

    private void take(ByteBuffer from) throws DeviceException {
        if (complete) {
            throw invalid("goes on after its end");
        }
        if (record == null) {
            takeHeader(from);
        } else if (record == VfioStateRecord.DATA) {
            writeData(from);
        } else {
            takeConfig(from);
        }
    }

    private void takeHeader(ByteBuffer from) throws DeviceException {
        while (header.hasRemaining() && from.hasRemaining()) {
            header.put(from.get());
        }
        if (header.hasRemaining()) {
            return;
        }
        header.flip();
        beginRecord(header.getLong(VfioStateRecord.MARK), header.getLong(VfioStateRecord.LENGTH));
        header.clear();
    }

    private void beginRecord(long mark, long length) throws DeviceException {
        VfioStateRecord next = VfioStateRecord.ofMark(mark).orElseThrow(() -> new DeviceException(
                Errno.EINVAL, "what was given to %s is not a saved state of a VFIO device".formatted(device.name())));
        if (length < 0 || length > mostBytes(next)) {
            throw invalid("has a %s record of %d bytes".formatted(next, length));
        }
        rest = length;
        switch (next) {
            case DATA -> beginData(length);
            case CONFIG -> beginConfig((int) length);
            case END -> end();
        }
    }

    private long mostBytes(VfioStateRecord next) {
        return switch (next) {
            case DATA -> Long.MAX_VALUE;
            case CONFIG -> PciConfig.MOST_BYTES;
            case END -> 0;
        };
    }

    private void beginData(long length) throws DeviceException {
        if (space.isPresent()) {
            throw invalid("goes on with data after its configuration space");
        }
        record = length == 0 ? null : VfioStateRecord.DATA;
    }

    private void beginConfig(int length) throws DeviceException {
        if (config.isEmpty()) {
            throw new DeviceException(
                    Errno.EINVAL, "the state was saved from a PCI device, and " + device.name() + " is none");
        }
        if (space.isPresent()) {
            throw invalid("has two configuration spaces");
        }
        if (length != config.get().size()) {
            throw invalid("has a configuration space of %d bytes, and the device's has %d"
                    .formatted(length, config.get().size()));
        }
        space = Optional.of(ByteBuffer.allocate(length));
        record = VfioStateRecord.CONFIG;
    }

    private void end() throws DeviceException {
        if (config.isPresent() && space.isEmpty()) {
            throw invalid("ends without the configuration space of a PCI device");
        }
        complete = true;
    }

    private DeviceException invalid(String what) {
        return new DeviceException(Errno.EINVAL, "the state given to %s %s".formatted(device.name(), what));
    }

    private void takeConfig(ByteBuffer from) throws DeviceException {
        ByteBuffer bytes = space.orElseThrow();
        int count = Math.min(bytes.remaining(), from.remaining());
        bytes.put(bytes.position(), from, from.position(), count);
        bytes.position(bytes.position() + count);
        from.position(from.position() + count);
        if (!bytes.hasRemaining()) {
            record = null;
            config.orElseThrow().restore(bytes.array());
        }
    }

    private void writeData(ByteBuffer from) throws DeviceException {
        int count = (int) Math.min(rest, from.remaining());
        ByteBuffer part = from.slice(from.position(), count);
        if (!from.isDirect()) {
            ByteBuffer room = transfer.bytes();
            count = Math.min(count, room.remaining());
            room.put(0, from, from.position(), count);
            part = room.slice(0, count);
        }
        int taken = writeToKernel(MemorySegment.ofBuffer(part));
        from.position(from.position() + taken);
        rest -= taken;
        if (rest == 0) {
            record = null;
        }
    }

    private int writeToKernel(MemorySegment part) throws DeviceException {
        long result = late ? -LinuxErrno.EAGAIN : data.write(part, transfer.poll(), restMillis);
        if (result > 0) {
            long rest = deadline - System.nanoTime();
            late = rest <= 0;
            restMillis = (int) TimeUnit.NANOSECONDS.toMillis(rest);
            return (int) result;
        }
        if (result == -LinuxErrno.ENODEV) {
            drop();
        }
        if (result == 0) {
            throw new DeviceException(Errno.EIO,
                    "%s takes no more of what it is given; reset it".formatted(device.name()));
        }
        if (result == -LinuxErrno.EAGAIN) {
            throw new DeviceException(Errno.ETIMEDOUT,
                    "%s did not take what it was given within %d ms".formatted(device.name(), waitMillis.getAsInt()));
        }
        throw failure(result);
    }
}
