// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

/**
 * Bits of the device_status field.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Device Status Field"</a>
 */
public final class DeviceStatus {
    /** The driver has noticed the device. */
    public static final int ACKNOWLEDGE = 1;
    /** The driver knows how to drive it. */
    public static final int DRIVER = 2;
    /** The driver is ready. */
    public static final int DRIVER_OK = 4;
    /** Feature negotiation is complete. */
    public static final int FEATURES_OK = 8;
    /** The device is suspended. */
    public static final int SUSPEND = 16;
    /** The device met an error from which only a reset leads. */
    public static final int DEVICE_NEEDS_RESET = 64;
    /** The driver gave up. */
    public static final int FAILED = 128;

    private DeviceStatus() {}
}
