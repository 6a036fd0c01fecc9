// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** A resuming data descriptor: takes any split of what {@link FakeSaving} gives, refuses anything else. */
final class FakeResuming extends FakeFile {
    private static final int ENOMEM = 12;

    private final FakeDevice device;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    boolean dead;

    FakeResuming(FakeDevice device) {
        this.device = device;
    }

    @Override
    short ready() {
        return device.silent ? 0 : POLLOUT;
    }

    @Override
    long write(MemorySegment from) {
        return device.kernel.answer(Request.DATA_WRITE, () -> take(from));
    }

    private int take(MemorySegment from) {
        if (dead) {
            return -ENODEV;
        }
        device.onWrite.run();
        int count = (int) Math.min(from.byteSize(), device.shortRead);
        bytes.writeBytes(from.asSlice(0, count).toArray(JAVA_BYTE));
        byte[] all = bytes.toByteArray();
        int header = Math.min(all.length, FakeSaving.HEADER.length);
        if (!Arrays.equals(all, 0, header, FakeSaving.HEADER, 0, header)) {
            return -EFAULT;
        }
        int length = lengthAt(all);
        return length < all.length && all.length > length + 1 + (all[length] & 0xFF) ? -ENOMEM : count;
    }

    /** Where the length of the content stands: behind the header and what came while the source ran. */
    private static int lengthAt(byte[] all) {
        int at = FakeSaving.HEADER.length;
        while (at < all.length && (all[at] & 0xFF) >= FakeSaving.INITIAL) {
            at++;
        }
        return at;
    }

    boolean isComplete() {
        byte[] all = bytes.toByteArray();
        int length = lengthAt(all);
        return length < all.length && all.length == length + 1 + (all[length] & 0xFF);
    }

    byte[] content() {
        byte[] all = bytes.toByteArray();
        return Arrays.copyOfRange(all, lengthAt(all) + 1, all.length);
    }
}
