// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;
import static java.lang.foreign.ValueLayout.JAVA_INT;
import static java.lang.foreign.ValueLayout.JAVA_LONG;

import java.lang.foreign.MemorySegment;
import java.nio.charset.StandardCharsets;

/** A saving data descriptor: a header while the device runs, length and content when it is stopped. */
final class FakeSaving extends FakeFile {
    static final byte[] HEADER = "DEVSTATE".getBytes(StandardCharsets.US_ASCII);

    private static final int ENODEV = 19;
    private static final int ENOMSG = 42;

    private final FakeDevice device;
    boolean dead;
    private int position;

    FakeSaving(FakeDevice device) {
        this.device = device;
    }

    private byte[] available() {
        if (device.state != FakeDevice.STOP_COPY) {
            return HEADER;
        }
        byte[] all = new byte[HEADER.length + 1 + device.content.length];
        System.arraycopy(HEADER, 0, all, 0, HEADER.length);
        all[HEADER.length] = (byte) device.content.length;
        System.arraycopy(device.content, 0, all, HEADER.length + 1, device.content.length);
        return all;
    }

    @Override
    boolean isReady() {
        return !device.silent;
    }

    @Override
    long read(MemorySegment into) {
        long result = answer(into);
        Runnable behind = device.behindRead;
        device.behindRead = () -> {};
        behind.run();
        return result;
    }

    private long answer(MemorySegment into) {
        if (dead) {
            return -ENODEV;
        }
        if (device.readErrno != 0) {
            return -device.readErrno;
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

    @Override
    int ioctl(int request, MemorySegment argument) {
        if (request != 0x3B79) {
            return -ENOTTY;
        }
        if (dead) {
            return -ENODEV;
        }
        if (argument.get(JAVA_INT, 0) < 24 || device.state < FakeDevice.PRE_COPY) {
            return -EINVAL;
        }
        // Without the opt-in, flags go back as they came: garbage of the caller's would be garbage in the answer.
        argument.set(JAVA_INT, 4, device.precopyV2 ? device.reinit ? 1 : 0 : 1);
        argument.set(JAVA_LONG, 8, HEADER.length - position);
        argument.set(JAVA_LONG, 16, 0L);
        return 0;
    }
}
