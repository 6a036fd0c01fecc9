// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import dev.ferry.device.Errno;
import dev.ferry.stream.StreamException;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import java.util.function.Consumer;

/**
 * The header of one device part.
 *
 * <table>
 *   <caption>Layout, little-endian, 16 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>2</td><td>part_type</td></tr>
 *   <tr><td>2</td><td>1</td><td>flags: bit 0 = optional</td></tr>
 *   <tr><td>3</td><td>1</td><td>reserved</td></tr>
 *   <tr><td>4</td><td>8</td><td>selector: offset u32, queue index u16, or bytes of the device type; rest zero</td></tr>
 *   <tr><td>12</td><td>4</td><td>length of the value in bytes</td></tr>
 *   <tr><td>16</td><td>length</td><td>value; the next header follows directly</td></tr>
 * </table>
 *
 * <p>Immutable.
 *
 * @param type unsigned 16 bits
 * @param flags unsigned 8 bits
 * @param selector the eight bytes as a little-endian number
 * @param length unsigned 32 bits
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, struct
 *     virtio_dev_part_hdr</a>
 */
public record DevicePart(int type, int flags, long selector, long length) {

    /** Bytes of an encoded header. */
    public static final int HEADER_BYTES = 16;

    /** Flag bit: a receiver may ignore the part. */
    public static final int FLAG_OPTIONAL = 1;

    private static final int TYPE_OFFSET = 0;
    private static final int FLAGS_OFFSET = 2;
    private static final int RESERVED_OFFSET = 3;
    private static final int SELECTOR_OFFSET = 4;
    private static final int LENGTH_OFFSET = 12;

    /** A mandatory part of a named type. */
    public static DevicePart of(DevicePartType type, long selector, long length) {
        return new DevicePart(type.number(), 0, selector, length);
    }

    /** Whether a receiver may ignore the part. */
    public boolean isOptional() {
        return (flags & FLAG_OPTIONAL) != 0;
    }

    /**
     * Writes the 16 bytes at the position of a buffer and moves it on.
     *
     * @throws BufferOverflowException when fewer than 16 bytes remain; nothing was written
     */
    public void encode(ByteBuffer into) {
        if (into.remaining() < HEADER_BYTES) {
            throw new BufferOverflowException();
        }
        into.slice()
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort(TYPE_OFFSET, (short) type)
                .put(FLAGS_OFFSET, (byte) flags)
                .put(RESERVED_OFFSET, (byte) 0)
                .putLong(SELECTOR_OFFSET, selector)
                .putInt(LENGTH_OFFSET, (int) length);
        into.position(into.position() + HEADER_BYTES);
    }

    /**
     * Reads a header at the position of a buffer and moves it on by 16 bytes.
     *
     * @throws java.nio.BufferUnderflowException when fewer than 16 bytes remain; nothing was read
     */
    public static DevicePart decode(ByteBuffer from) {
        if (from.remaining() < HEADER_BYTES) {
            throw new java.nio.BufferUnderflowException();
        }
        ByteBuffer at = from.slice().order(ByteOrder.LITTLE_ENDIAN);
        from.position(from.position() + HEADER_BYTES);
        return new DevicePart(
                Short.toUnsignedInt(at.getShort(TYPE_OFFSET)),
                Byte.toUnsignedInt(at.get(FLAGS_OFFSET)),
                at.getLong(SELECTOR_OFFSET),
                Integer.toUnsignedLong(at.getInt(LENGTH_OFFSET)));
    }

    /**
     * One part within a buffer of parts.
     *
     * @param offset of the header from where the reading began
     * @param header of the part
     * @param value a read-only, little-endian view of the value; no copy
     */
    public record Located(int offset, DevicePart header, ByteBuffer value) {}

    /**
     * Reads the parts that lie one behind the other from the position of a buffer to its limit; nothing is copied.
     *
     * @param parts not changed
     * @param found called with each part as it is found, so that parts before a fault are seen
     * @throws StreamException EINVAL when a header or a value is cut off; the offset counts from the position
     */
    public static void forEach(ByteBuffer parts, Consumer<Located> found) throws StreamException {
        ByteBuffer rest = parts.slice();
        while (rest.hasRemaining()) {
            int offset = rest.position();
            if (rest.remaining() < HEADER_BYTES) {
                throw new StreamException(
                        offset,
                        Errno.EINVAL,
                        "a device part header needs 16 bytes but only " + rest.remaining() + " are left");
            }
            DevicePart header = decode(rest);
            if (header.length() > rest.remaining()) {
                throw new StreamException(
                        offset,
                        Errno.EINVAL,
                        "the value of a device part of type 0x%x needs %d bytes but only %d are left"
                                .formatted(header.type(), header.length(), rest.remaining()));
            }
            int length = (int) header.length();
            ByteBuffer value =
                    rest.slice(rest.position(), length).asReadOnlyBuffer().order(ByteOrder.LITTLE_ENDIAN);
            rest.position(rest.position() + length);
            found.accept(new Located(offset, header, value));
        }
    }

    /**
     * Reads all parts of a buffer into a list.
     *
     * @param parts not changed
     * @throws StreamException as {@link #forEach}
     */
    public static List<Located> readAll(ByteBuffer parts) throws StreamException {
        List<Located> all = new ArrayList<>();
        forEach(parts, all::add);
        return all;
    }
}
