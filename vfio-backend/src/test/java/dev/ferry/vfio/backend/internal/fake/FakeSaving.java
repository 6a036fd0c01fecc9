// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/**
 * A saving data descriptor: a header while the device runs, then 0xFF for each byte that changed and 0xFE for each new
 * initial one; when it is stopped, length and content.
 */
final class FakeSaving extends FakeFile {
    static final byte[] HEADER = "DEVSTATE".getBytes(StandardCharsets.US_ASCII);
    static final int CHANGED = 0xFF;
    static final int INITIAL = 0xFE;

    private static final int ENOMSG = 42;
    /** VFIO_MIGRATION_PRE_COPY. */
    private static final long PRE_COPY_FLAG = 1 << 2;

    private final FakeDevice device;
    private final ByteArrayOutputStream stream = new ByteArrayOutputStream();
    boolean dead;
    private boolean whole;
    private int position;
    private int initialEnd = HEADER.length;
    private boolean reinitialized;

    FakeSaving(FakeDevice device) {
        this.device = device;
        stream.writeBytes(HEADER);
    }

    void change(int bytes) {
        for (int i = 0; i < bytes; i++) {
            stream.write(CHANGED);
        }
    }

    void reinitialize(int bytes) {
        for (int i = 0; i < bytes; i++) {
            stream.write(INITIAL);
        }
        initialEnd = stream.size();
        reinitialized = true;
    }

    private byte[] available() {
        if (device.state == FakeDevice.STOP_COPY && !whole) {
            whole = true;
            stream.write(device.content.length);
            stream.writeBytes(device.content);
        }
        return stream.toByteArray();
    }

    @Override
    short ready() {
        return device.silent ? 0 : POLLIN;
    }

    @Override
    long read(MemorySegment into) {
        long result = device.kernel.answer(Request.DATA_READ, () -> answer(into));
        Runnable behind = device.behindRead;
        device.behindRead = () -> {};
        behind.run();
        return result;
    }

    private int answer(MemorySegment into) {
        if (dead) {
            return -ENODEV;
        }
        byte[] all = available();
        int count = (int) Math.min(Math.min(into.byteSize(), all.length - position), device.shortRead);
        if (count == 0) {
            return device.state == FakeDevice.STOP_COPY || device.zeroInPreCopy ? 0 : -ENOMSG;
        }
        MemorySegment.copy(all, position, into, JAVA_BYTE, 0, count);
        position += count;
        return count;
    }

    /** A kernel driver without PRE_COPY has no call for it. */
    @Override
    int ioctl(int request, MemorySegment argument) {
        return request == 0x3B79 && (device.flags & PRE_COPY_FLAG) != 0
                ? device.kernel.answer(Request.PRECOPY_INFO, () -> sized(argument, 24, () -> info(argument)))
                : -ENOTTY;
    }

    private int info(MemorySegment argument) {
        if (dead) {
            return -ENODEV;
        }
        if (device.state < FakeDevice.PRE_COPY) {
            return -EINVAL;
        }
        if (argument.get(JAVA_INT, 4) != 0 || argument.get(JAVA_LONG, 8) != 0 || argument.get(JAVA_LONG, 16) != 0) {
            throw new AssertionError("drivers may give back what they were given: it must be zero");
        }
        // Without the opt-in, flags mean nothing, whatever they are.
        argument.set(JAVA_INT, 4, !device.precopyV2 || reinitialized ? 1 : 0);
        reinitialized &= !device.precopyV2;
        Long said = device.precopyBytes;
        argument.set(JAVA_LONG, 8, said != null ? said : Math.max(0, initialEnd - position));
        argument.set(JAVA_LONG, 16, said != null ? said : stream.size() - Math.max(position, initialEnd));
        return 0;
    }
}
