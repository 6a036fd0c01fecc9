// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.UsageException;
import java.util.HexFormat;

/** Bytes as users type them: two hex digits each, blanks or colons between bytes where they like. */
final class HexBytes {

    private static final int DIGITS_PER_BYTE = 2;

    private HexBytes() {}

    static byte[] parse(String text) throws UsageException {
        StringBuilder digits = new StringBuilder(text.length());
        for (int at = 0; at < text.length(); at++) {
            char c = text.charAt(at);
            boolean separator = c == ':' || Character.isWhitespace(c);
            if (!separator && !HexFormat.isHexDigit(c)) {
                throw new UsageException("'" + c + "' at position " + at + " of HEX is not a hex digit");
            }
            if (separator && digits.length() % DIGITS_PER_BYTE != 0) {
                throw new UsageException("HEX has half a byte before position " + at + "; a byte is two hex digits");
            }
            if (!separator) {
                digits.append(c);
            }
        }
        if (digits.isEmpty()) {
            throw new UsageException("HEX holds no byte");
        }
        if (digits.length() % DIGITS_PER_BYTE != 0) {
            throw new UsageException("HEX ends with half a byte; a byte is two hex digits");
        }
        return HexFormat.of().parseHex(digits);
    }
}
