// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

/**
 * The data of DEV_MODE_SET: one byte of flags.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Device mode set"</a>
 */
public final class DevMode {

    /** Bytes of the data. */
    public static final int BYTES = 1;
    /** The device initiates nothing until it is resumed. */
    public static final int FLAG_STOPPED = 1;
    /** Flags of a running device. */
    public static final int RUNNING = 0;

    private DevMode() {}
}
