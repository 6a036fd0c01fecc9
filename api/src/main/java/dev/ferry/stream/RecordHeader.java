// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The header of one record of the {@code virtiovf} stream.
 *
 * <table>
 *   <caption>Layout, little-endian, 16 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>8</td><td>record_size: bytes of payload after this header</td></tr>
 *   <tr><td>8</td><td>4</td><td>flags: bit 0 set = optional, clear = mandatory</td></tr>
 *   <tr><td>12</td><td>4</td><td>tag: 0 = DEVICE_DATA, 1 = DEVICE_CONTEXT</td></tr>
 * </table>
 *
 * <p>Immutable.
 *
 * @param size bytes of payload; unsigned 64 bits, as it came
 * @param flags unsigned 32 bits, as they came
 * @param tag unsigned 32 bits, as it came
 * @see <a href="https://docs.kernel.org/driver-api/vfio.html">Linux: drivers/vfio/pci/virtio/migrate.c, struct
 *     virtiovf_migration_header</a>
 */
public record RecordHeader(long size, int flags, int tag) {

    /** Bytes of an encoded header. */
    public static final int BYTES = 16;

    /** Flag bit: a receiver that does not know the tag skips the record. */
    public static final int FLAG_OPTIONAL = 1;

    /** Tag of the device parts as the device gave them. */
    public static final int TAG_DEVICE_DATA = 0;

    /**
     * Tag of the {@linkplain dev.ferry.virtio.context device context} as the device gave it; ours, always mandatory. A
     * receiver that knows only device parts, the kernel's driver too, refuses it at its header.
     */
    public static final int TAG_DEVICE_CONTEXT = 1;

    private static final int SIZE_OFFSET = 0;
    private static final int FLAGS_OFFSET = 8;
    private static final int TAG_OFFSET = 12;

    /** Whether a tag is one of a whole image, which belongs to the format itself: no {@link RecordType} may have it. */
    public static boolean isImageTag(int tag) {
        return tag == TAG_DEVICE_DATA || tag == TAG_DEVICE_CONTEXT;
    }

    /** The name of an image tag, in the style of a constant. */
    public static String imageName(int imageTag) {
        return imageTag == TAG_DEVICE_CONTEXT ? "DEVICE_CONTEXT" : "DEVICE_DATA";
    }

    /** Whether a receiver that does not know the tag skips the record. */
    public boolean isOptional() {
        return (flags & FLAG_OPTIONAL) != 0;
    }

    /**
     * Writes the 16 bytes at the position of a buffer and moves it on; the buffer's byte order does not matter.
     *
     * @throws java.nio.BufferOverflowException when fewer than 16 bytes remain; nothing was written
     */
    public void encode(ByteBuffer into) {
        ByteBuffer at = into.slice().order(ByteOrder.LITTLE_ENDIAN);
        if (at.remaining() < BYTES) {
            throw new java.nio.BufferOverflowException();
        }
        at.putLong(SIZE_OFFSET, size).putInt(FLAGS_OFFSET, flags).putInt(TAG_OFFSET, tag);
        into.position(into.position() + BYTES);
    }

    /**
     * Reads 16 bytes at the position of a buffer and moves it on; the buffer's byte order does not matter.
     *
     * @throws java.nio.BufferUnderflowException when fewer than 16 bytes remain; nothing was read
     */
    public static RecordHeader decode(ByteBuffer from) {
        ByteBuffer at = from.slice().order(ByteOrder.LITTLE_ENDIAN);
        if (at.remaining() < BYTES) {
            throw new java.nio.BufferUnderflowException();
        }
        from.position(from.position() + BYTES);
        return new RecordHeader(at.getLong(SIZE_OFFSET), at.getInt(FLAGS_OFFSET), at.getInt(TAG_OFFSET));
    }
}
