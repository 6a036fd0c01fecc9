// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.device.GuestRegisters.Register;
import dev.ferry.vfio.backend.internal.uapi.PciConfig;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import java.util.Arrays;

/**
 * The PCI configuration space of a device: saved whole when the device is stopped, restored before its state ends being
 * loaded. The kernel's device state leaves it out, because a VMM virtualizes it.
 *
 * <p>Restored are the {@linkplain GuestRegisters registers that a guest programs}; the kernel keeps those that it
 * virtualizes for whoever reads them next, and lets no enable bit of MSI or MSI-X be set before interrupts are armed.
 *
 * <p>Neither saved nor restored is what only a VMM has, and carries by {@code saveDeviceConfig} and {@code
 * loadDeviceConfig} of {@link dev.ferry.migration.Guest}. The vectors of MSI-X and their pending bits: a guest's
 * accesses to them end in the VMM, what lies in the device is the host's, and {@code vfio-pci} gives ones for a read of
 * that part of a BAR and drops writes. The level of the INTx pin: the VMM drives it. Arming, {@code
 * VFIO_DEVICE_SET_IRQS}: it wants the event descriptors that the guest's interrupts are bound to.
 */
final class ConfigSpace {
    private static final int REVISION_BYTES = 1;
    private static final int CLASS_BYTES = 3;

    private final Region region;
    private final int size;

    private ConfigSpace(Region region, int size) {
        this.region = region;
        this.size = size;
    }

    /** The space of a PCI device. */
    static ConfigSpace of(VfioDevice device) throws DeviceException {
        Region region = device.region(VfioIoctl.VFIO_PCI_CONFIG_REGION_INDEX);
        if (region.size() < PciConfig.HEADER_BYTES || region.size() > PciConfig.MOST_BYTES) {
            throw new DeviceException(Errno.EINVAL,
                    "%s says its configuration space has %d bytes, which no PCI device has"
                    .formatted(device.name(), region.size()));
        }
        return new ConfigSpace(region, (int) region.size());
    }

    /** Bytes of the space. */
    int size() {
        return size;
    }

    /** All of it. */
    byte[] save() throws DeviceException {
        return region.read(0, size);
    }

    /**
     * Sets what {@link #save} gave at a device of the same kind.
     *
     * @param saved as long as the space
     * @throws DeviceException EINVAL when it was saved from another kind of device; nothing was written then
     */
    void restore(byte[] saved) throws DeviceException {
        byte[] own = region.read(0, Math.min(size, PciConfig.CONVENTIONAL_BYTES));
        if (!isSameKind(saved, own)) {
            throw another("another kind");
        }
        GuestRegisters registers = new GuestRegisters(saved, "the saved state");
        if (!registers.areLike(new GuestRegisters(own, region.device().name()))) {
            throw another("other capabilities");
        }
        for (Register register : registers.registers()) {
            write(register, saved);
        }
    }

    private static boolean isSameKind(byte[] saved, byte[] own) {
        return equal(saved, own, PciConfig.VENDOR_DEVICE, PciConfig.VENDOR_DEVICE_BYTES)
                && equal(saved, own, PciConfig.CLASS_REVISION + REVISION_BYTES, CLASS_BYTES);
    }

    private static boolean equal(byte[] saved, byte[] own, int offset, int count) {
        return Arrays.equals(saved, offset, offset + count, own, offset, offset + count);
    }

    private DeviceException another(String what) {
        return new DeviceException(Errno.EINVAL,
                "the state was saved from a PCI device of %s than %s".formatted(what, region.device().name()));
    }

    private void write(Register register, byte[] saved) throws DeviceException {
        byte[] value = Arrays.copyOfRange(saved, register.offset(), register.offset() + register.bytes());
        for (int i = 0; i < value.length; i++) {
            value[i] &= (byte) ~(register.never() >> i * Byte.SIZE);
        }
        region.write(register.offset(), value);
    }
}
