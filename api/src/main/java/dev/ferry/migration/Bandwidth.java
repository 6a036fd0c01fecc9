// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

/**
 * How many bytes a migration may carry in a second, or that there is no limit. Immutable.
 *
 * @param bytesPerSecond 1 or more; {@link Long#MAX_VALUE} for no limit
 */
public record Bandwidth(long bytesPerSecond) {

    /** No limit. */
    public static final Bandwidth UNLIMITED = new Bandwidth(Long.MAX_VALUE);

    /** Refuses rates below one byte per second. */
    public Bandwidth {
        if (bytesPerSecond < 1) {
            throw new IllegalArgumentException("a bandwidth must be at least 1 byte per second: " + bytesPerSecond);
        }
    }

    /** Whether there is a limit. */
    public boolean isLimited() {
        return bytesPerSecond != Long.MAX_VALUE;
    }

    @Override
    public String toString() {
        return isLimited() ? bytesPerSecond + " bytes/s" : "unlimited";
    }
}
