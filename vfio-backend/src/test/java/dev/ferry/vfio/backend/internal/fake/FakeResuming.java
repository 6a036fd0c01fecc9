// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import static java.lang.foreign.ValueLayout.JAVA_BYTE;

import java.io.ByteArrayOutputStream;
import java.lang.foreign.MemorySegment;
import java.util.Arrays;

/** A resuming data descriptor: takes any split of what {@link FakeSaving} gives, refuses anything else. */
final class FakeResuming extends FakeFile {
    private static final int ENOMEM = 12;
    private static final int ENODEV = 19;

    private final FakeDevice device;
    private final ByteArrayOutputStream bytes = new ByteArrayOutputStream();
    boolean dead;

    FakeResuming(FakeDevice device) {
        this.device = device;
    }

    @Override
    boolean isReady() {
        return !device.silent;
    }

    @Override
    long write(MemorySegment from) {
        if (dead) {
            return -ENODEV;
        }
        if (device.writeErrno != 0) {
            return -device.writeErrno;
        }
        int count = (int) Math.min(from.byteSize(), device.shortRead);
        bytes.writeBytes(from.asSlice(0, count).toArray(JAVA_BYTE));
        byte[] all = bytes.toByteArray();
        int header = Math.min(all.length, FakeSaving.HEADER.length);
        if (!Arrays.equals(all, 0, header, FakeSaving.HEADER, 0, header)) {
            return -EFAULT;
        }
        return all.length > FakeSaving.HEADER.length && all.length > size(all) ? -ENOMEM : count;
    }

    private static int size(byte[] all) {
        return FakeSaving.HEADER.length + 1 + (all[FakeSaving.HEADER.length] & 0xFF);
    }

    boolean isComplete() {
        byte[] all = bytes.toByteArray();
        return all.length > FakeSaving.HEADER.length && all.length == size(all);
    }

    byte[] content() {
        byte[] all = bytes.toByteArray();
        return Arrays.copyOfRange(all, FakeSaving.HEADER.length + 1, all.length);
    }
}
