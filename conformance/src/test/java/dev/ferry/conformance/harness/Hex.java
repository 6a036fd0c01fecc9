// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.harness;

import java.util.HexFormat;

/** Bytes as the tests write them: hex digits with blanks where they help; numbers little-endian. */
public final class Hex {

    private Hex() {}

    /** The bytes of hex digits; blanks are left out. */
    public static byte[] bytes(String hex) {
        return HexFormat.of().parseHex(plain(hex));
    }

    /** The digits alone. */
    public static String plain(String hex) {
        return hex.replace(" ", "").replace("\n", "");
    }

    /** The hex digits of bytes. */
    public static String of(byte[] bytes) {
        return HexFormat.of().formatHex(bytes);
    }

    /** One byte. */
    public static String u8(int value) {
        return le(value, Byte.BYTES);
    }

    /** Two bytes. */
    public static String le16(int value) {
        return le(value, Short.BYTES);
    }

    /** Four bytes. */
    public static String le32(long value) {
        return le(value, Integer.BYTES);
    }

    /** Eight bytes. */
    public static String le64(long value) {
        return le(value, Long.BYTES);
    }

    /** So many bytes of zero. */
    public static String zeros(int bytes) {
        return "00".repeat(bytes);
    }

    private static String le(long value, int bytes) {
        StringBuilder digits = new StringBuilder(2 * bytes);
        for (int at = 0; at < bytes; at++) {
            digits.append("%02x".formatted(value >>> 8 * at & 0xFF));
        }
        return digits.toString();
    }

    /** The number in so many bytes at an offset, unsigned up to 32 bits. */
    public static long number(byte[] from, int offset, int bytes) {
        long value = 0;
        for (int at = bytes - 1; at >= 0; at--) {
            value = value << 8 | from[offset + at] & 0xFF;
        }
        return value;
    }
}
