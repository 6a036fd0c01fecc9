// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.driver;

import dev.ferry.conformance.harness.Hex;
import java.util.Arrays;

/**
 * One command as a device got it.
 *
 * @param readable the device-readable part
 * @param space bytes of the device-writable part
 * @param pending commands that had no answer yet when this one came
 * @param status that the device answered
 */
record Exchange(byte[] readable, int space, int pending, int status) {

    private static final int HEADER_BYTES = 24;

    int opcode() {
        return opcode(readable);
    }

    static int opcode(byte[] readable) {
        return (int) Hex.number(readable, 0, 2);
    }

    int group() {
        return (int) Hex.number(readable, 2, 2);
    }

    long member() {
        return Hex.number(readable, 16, 8);
    }

    /** The command-specific data. */
    byte[] data() {
        return Arrays.copyOfRange(readable, HEADER_BYTES, readable.length);
    }

    /** The id of the object that the data begins with. */
    long object() {
        return Hex.number(readable, HEADER_BYTES + 4, 4);
    }

    @Override
    public String toString() {
        return "%s -> %d".formatted(Hex.of(readable), status);
    }
}
