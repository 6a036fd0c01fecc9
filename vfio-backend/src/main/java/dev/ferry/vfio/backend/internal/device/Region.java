// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.foreign.ValueLayout;

/**
 * A region of a device, read and written at positions: its configuration space, or registers behind a BAR.
 *
 * @param device whose region it is
 * @param offset of the region in the device's descriptor, in bytes
 * @param size in bytes
 */
public record Region(VfioDevice device, long offset, long size) {

    /** Reads bytes; a read that ends early is continued. */
    public byte[] read(int position, int count) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(count, Long.BYTES);
            for (int done = 0; done < count; ) {
                MemorySegment rest = buffer.asSlice(done);
                long at = offset + position + done;
                done += progress("pread", position + done, device.descriptor().use(fd ->
                        device.calls().pread(fd, rest, at)));
            }
            return buffer.toArray(ValueLayout.JAVA_BYTE);
        }
    }

    /** Writes bytes; a write that ends early is continued. */
    public void write(int position, byte[] bytes) throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment buffer = arena.allocate(bytes.length, Long.BYTES);
            MemorySegment.copy(bytes, 0, buffer, ValueLayout.JAVA_BYTE, 0, bytes.length);
            for (int done = 0; done < bytes.length; ) {
                MemorySegment rest = buffer.asSlice(done);
                long at = offset + position + done;
                done += progress("pwrite", position + done, device.descriptor().use(fd ->
                        device.calls().pwrite(fd, rest, at)));
            }
        }
    }

    private int progress(String call, int position, long result) throws DeviceException {
        String what = "%s of a region at 0x%x".formatted(call, position);
        device.require(result, what);
        if (result == 0) {
            throw new DeviceException(Errno.EIO, "%s: %s ended before all bytes were moved"
                    .formatted(device.name(), what));
        }
        return (int) result;
    }
}
