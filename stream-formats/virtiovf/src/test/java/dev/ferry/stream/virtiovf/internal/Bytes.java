// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.HexFormat;

/** Bytes for tests. */
final class Bytes {

    private Bytes() {}

    /** Bytes of hex digits; white space is ignored. */
    static byte[] hex(String... text) {
        return HexFormat.of().parseHex(String.join("", text).replaceAll("\\s", ""));
    }

    /** Hex digits of bytes. */
    static String hex(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    /** What lies between position and limit; the buffer stays as it is. */
    static byte[] of(ByteBuffer buffer) {
        byte[] bytes = new byte[buffer.remaining()];
        buffer.duplicate().get(bytes);
        return bytes;
    }

    /** One behind the other. */
    static byte[] join(byte[]... pieces) {
        ByteArrayOutputStream joined = new ByteArrayOutputStream();
        for (byte[] piece : pieces) {
            joined.writeBytes(piece);
        }
        return joined.toByteArray();
    }

    /** A record, laid out by hand: size u64, flags u32, tag u32, payload. */
    static byte[] record(int flags, int tag, byte[] payload) {
        byte[] header = new byte[16];
        putLittleEndian(header, 0, 8, payload.length);
        putLittleEndian(header, 8, 4, flags);
        putLittleEndian(header, 12, 4, tag);
        return join(header, payload);
    }

    /** A device part, laid out by hand: type u16, flags u8, reserved u8, selector 8 bytes, length u32, value. */
    static byte[] part(int type, int flags, long selector, byte[] value) {
        byte[] header = new byte[16];
        putLittleEndian(header, 0, 2, type);
        header[2] = (byte) flags;
        putLittleEndian(header, 4, 8, selector);
        putLittleEndian(header, 12, 4, value.length);
        return join(header, value);
    }

    private static void putLittleEndian(byte[] into, int offset, int size, long value) {
        for (int index = 0; index < size; index++) {
            into[offset + index] = (byte) (value >>> 8 * index);
        }
    }
}
