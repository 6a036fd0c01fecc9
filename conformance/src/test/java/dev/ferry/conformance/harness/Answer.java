// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.harness;

import java.util.Arrays;

/**
 * What a device wrote to the device-writable part of a command.
 *
 * @param used the used length it reported
 * @param written the bytes up to there
 * @param filling the bytes behind, up to the end of the 64-bit word or of the space
 */
public record Answer(int used, byte[] written, byte[] filling) {

    /** Status, qualifier, four bytes of zero; then the result. */
    private static final int HEAD_BYTES = 8;

    /** Everything as hex digits. */
    public String hex() {
        return Hex.of(written);
    }

    /** The status. */
    public int status() {
        return (int) Hex.number(written, 0, Short.BYTES);
    }

    /** The status qualifier. */
    public int qualifier() {
        return (int) Hex.number(written, Short.BYTES, Short.BYTES);
    }

    /** The command-specific result. */
    public byte[] result() {
        return written.length < HEAD_BYTES ? new byte[0] : Arrays.copyOfRange(written, HEAD_BYTES, written.length);
    }

    /** The result as hex digits. */
    public String resultHex() {
        return Hex.of(result());
    }
}
