// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.legacy;

import dev.ferry.virtio.PciCommonConfig;
import dev.ferry.virtio.VirtqueueConfig;

/**
 * The device behind the legacy registers: what they have in common with the registers of virtio 1.x, and what only a
 * legacy driver does. Called with the function's lock held.
 */
public interface LegacyDevice {

    /** Whether MSI-X is enabled. */
    boolean isMsixEnabled();

    /** A register that both interfaces have. */
    long read(PciCommonConfig register);

    /** Writes a register that both interfaces have. */
    void write(PciCommonConfig register, long value);

    /** Features offered. */
    long offeredFeatures();

    /** Features that the driver took. */
    long driverFeatures();

    /** Takes features; ignored once the device is driven. */
    void takeFeatures(long features);

    /** Configuration of the selected queue; not enabled where there is none. */
    VirtqueueConfig selectedQueue();

    /** Takes the selected queue into use, or out of use when its configuration is not enabled. */
    void changeSelectedQueue(VirtqueueConfig queue);

    /** Writes the status of a driver that knows no FEATURES_OK. */
    void setStatus(int status);

    /** The driver made buffers of a queue available. */
    void notified(int queue);

    /** Reads and clears the ISR status. */
    int takeIsr();

    /** Bytes from an offset to the end of the field of the device configuration it lies in; 0 = no field. */
    int configBytesLeft(int offset);

    /** Reads device configuration, within a field. */
    long readConfig(int offset, int bytes);

    /** Writes device configuration, within a field; ignored where it is read-only. */
    void writeConfig(int offset, int bytes, long value);
}
