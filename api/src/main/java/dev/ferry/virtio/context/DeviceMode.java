// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context;

import java.util.Optional;

/**
 * The modes of a member device; data of MODE_SET and result of MODE_GET.
 *
 * <table>
 *   <caption>Layout, 8 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>1</td><td>mode</td></tr>
 *   <tr><td>1</td><td>7</td><td>reserved</td></tr>
 * </table>
 */
public enum DeviceMode {
    /** Everything works. */
    ACTIVE,
    /**
     * The device initiates nothing; it takes accesses and notifications of its driver, which may change its context.
     */
    STOP,
    /** As {@link #STOP}, and the context cannot change: what the driver writes is held until the mode is left. */
    FREEZE;

    /** Bytes of the layout. */
    public static final int BYTES = 8;

    /** The mode as one byte. */
    public int number() {
        return ordinal();
    }

    /** The mode of a number; empty for a reserved one. */
    public static Optional<DeviceMode> ofNumber(int number) {
        DeviceMode[] modes = values();
        return number < 0 || number >= modes.length ? Optional.empty() : Optional.of(modes[number]);
    }
}
