// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.control;

import org.osgi.annotation.versioning.ProviderType;

/**
 * One PCI function at register level: configuration space, BARs by offset, MSI-X interrupts, DMA.
 *
 * <p>Whoever drives it finds everything as an operating system would: by the capability list in configuration space,
 * whose virtio capabilities (vendor-specific, id 0x09) say which BAR holds the common configuration, the notification
 * area, the ISR and the device configuration, and whose MSI-X capability (id 0x11) says where table and pending bits
 * are. Function-level reset is bit 15 of Device Control in the PCI Express capability (id 0x10).
 *
 * <p>Thread-safe. All values are little-endian numbers, unsigned; accesses have their natural size and alignment. An
 * access that no register answers reads as all ones and writes nothing, as on a bus.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Virtio Over PCI Bus"</a>
 */
@ProviderType
public interface PciFunction {

    /** Id of the device, for example {@code host1/pf0/vf1}. */
    String id();

    /**
     * Reads configuration space.
     *
     * @param offset 0 to 4095
     * @param size 1, 2 or 4 bytes
     */
    long readConfig(int offset, int size);

    /**
     * Writes configuration space; read-only bits keep their value.
     *
     * @param offset 0 to 4095
     * @param size 1, 2 or 4 bytes
     */
    void writeConfig(int offset, int size, long value);

    /** Size of a BAR in bytes, a power of two; 0 for a BAR that is not there. */
    long barSize(int bar);

    /**
     * Reads a register.
     *
     * @param bar 0 to 5
     * @param offset in the BAR
     * @param size 1, 2, 4 or 8 bytes
     */
    long readBar(int bar, long offset, int size);

    /**
     * Writes a register. A write to the notification area processes the queue before it returns.
     *
     * @param bar 0 to 5
     * @param offset in the BAR
     * @param size 1, 2, 4 or 8 bytes
     */
    void writeBar(int bar, long offset, int size, long value);

    /**
     * Gives the function a memory to master and somebody to interrupt; replaces what was there. Without one,
     * queues wait and go on later, and interrupts go nowhere. Survives resets of the function.
     *
     * @param dma the memory behind the function's IOMMU
     * @param interrupts called without any lock of the function, on the thread that caused the interrupt
     */
    void attach(DmaSpace dma, InterruptListener interrupts);

    /** Takes memory and listener away; when it returns no DMA is under way. */
    void detach();
}
