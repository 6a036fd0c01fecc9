// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context;

import dev.ferry.device.Errno;
import dev.ferry.stream.StreamException;
import java.nio.BufferOverflowException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.function.Consumer;

/**
 * The header of one field of a device context.
 *
 * <table>
 *   <caption>Layout, little-endian, 8 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>2</td><td>type</td></tr>
 *   <tr><td>2</td><td>1</td><td>flags: bit 0 = optional</td></tr>
 *   <tr><td>3</td><td>1</td><td>reserved</td></tr>
 *   <tr><td>4</td><td>4</td><td>length of the value in bytes, without padding</td></tr>
 *   <tr><td>8</td><td>length</td><td>value, then zeros to the next multiple of 8</td></tr>
 * </table>
 *
 * <p>Immutable.
 *
 * @param type unsigned 16 bits
 * @param flags unsigned 8 bits
 * @param length unsigned 32 bits
 */
public record ContextField(int type, int flags, long length) {

    /** Bytes of an encoded header. */
    public static final int HEADER_BYTES = 8;
    /** Every field begins at a multiple of this. */
    public static final int ALIGNMENT = 8;
    /** Flag bit: a receiver that does not know the type skips the field. */
    public static final int FLAG_OPTIONAL = 1;

    private static final int TYPE_OFFSET = 0;
    private static final int FLAGS_OFFSET = 2;
    private static final int RESERVED_OFFSET = 3;
    private static final int LENGTH_OFFSET = 4;

    /** Whether a receiver that does not know the type skips the field. */
    public boolean isOptional() {
        return (flags & FLAG_OPTIONAL) != 0;
    }

    /** Bytes of header, value and padding. */
    public long fieldBytes() {
        return HEADER_BYTES + (length + ALIGNMENT - 1) / ALIGNMENT * ALIGNMENT;
    }

    /** Whether this is a field of a type. */
    public boolean is(ContextFieldType wanted) {
        return type == wanted.number();
    }

    /**
     * Writes a whole field at the position of a buffer and moves it on.
     *
     * @param value from position to limit, not changed
     * @throws BufferOverflowException when there is too little space; nothing was written
     */
    public static void put(ByteBuffer into, ContextFieldType type, int flags, ByteBuffer value) {
        ContextField header = new ContextField(type.number(), flags, value.remaining());
        if (into.remaining() < header.fieldBytes()) {
            throw new BufferOverflowException();
        }
        int end = into.position() + (int) header.fieldBytes();
        into.slice()
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort(TYPE_OFFSET, (short) type.number())
                .put(FLAGS_OFFSET, (byte) flags)
                .put(RESERVED_OFFSET, (byte) 0)
                .putInt(LENGTH_OFFSET, value.remaining());
        into.position(into.position() + HEADER_BYTES).put(value.duplicate());
        while (into.position() < end) {
            into.put((byte) 0);
        }
    }

    /** Reads a header at an index of a buffer, of which {@link #HEADER_BYTES} are there; the buffer is not changed. */
    public static ContextField decode(ByteBuffer from, int index) {
        ByteBuffer at = from.slice(index, HEADER_BYTES).order(ByteOrder.LITTLE_ENDIAN);
        return new ContextField(
                Short.toUnsignedInt(at.getShort(TYPE_OFFSET)),
                Byte.toUnsignedInt(at.get(FLAGS_OFFSET)),
                Integer.toUnsignedLong(at.getInt(LENGTH_OFFSET)));
    }

    /**
     * One field within a buffer.
     *
     * @param offset of the header from where the reading began
     * @param header of the field
     * @param value a read-only, little-endian view of the value; no copy
     */
    public record Located(int offset, ContextField header, ByteBuffer value) {

        /** The queue that the value names first; 0 of a value that is too short for that. */
        public int queueIndex() {
            return value.capacity() < Short.BYTES ? 0 : Short.toUnsignedInt(value.getShort(0));
        }
    }

    /**
     * Reads the fields that lie one behind the other from the position of a buffer to its limit; nothing is copied.
     *
     * @param context not changed
     * @param found called with each field as it is found, so that fields before a fault are seen
     * @throws StreamException EINVAL when a header, a value or its padding is cut off; the offset counts from the position
     */
    public static void forEach(ByteBuffer context, Consumer<Located> found) throws StreamException {
        ByteBuffer all = context.slice();
        int offset = 0;
        while (offset < all.capacity()) {
            int left = all.capacity() - offset;
            if (left < HEADER_BYTES) {
                throw cutOff(offset, "the header of a context field", HEADER_BYTES, left);
            }
            ContextField header = decode(all, offset);
            if (header.fieldBytes() > left) {
                throw cutOff(
                        offset, "a context field of type 0x%x".formatted(header.type()), header.fieldBytes(), left);
            }
            ByteBuffer value = all.slice(offset + HEADER_BYTES, (int) header.length())
                    .asReadOnlyBuffer()
                    .order(ByteOrder.LITTLE_ENDIAN);
            found.accept(new Located(offset, header, value));
            offset += (int) header.fieldBytes();
        }
    }

    private static StreamException cutOff(int offset, String what, long needed, int left) {
        return new StreamException(
                offset, Errno.EINVAL, "%s needs %d bytes but only %d are left".formatted(what, needed, left));
    }
}
