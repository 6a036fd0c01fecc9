// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.uapi.PciConfig;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import dev.ferry.vfio.backend.internal.uapi.VfioStruct.DeviceInfo;
import java.util.Arrays;
import java.util.Optional;

/**
 * The PCI configuration space of a device: saved whole when the device is stopped, restored before its state ends being
 * loaded. The kernel's device state leaves it out, because a VMM virtualizes it.
 *
 * <p>Restored is what a guest programs and this program can write: base addresses, cache line size, latency timer,
 * interrupt line, and the command register last, so that nothing is enabled before its address is known. Interrupts
 * (MSI, MSI-X) are armed with event descriptors that only who runs the guest has.
 */
final class ConfigSpace {
    private static final int REVISION_BYTES = 1;
    private static final int WORD = 2;
    private static final int DWORD = 4;

    private final Region region;
    private final int size;

    private ConfigSpace(Region region, int size) {
        this.region = region;
        this.size = size;
    }

    /** The space of a device that has one. */
    static Optional<ConfigSpace> of(VfioDevice device) throws DeviceException {
        if ((device.infoFlags() & DeviceInfo.FLAG_PCI) == 0) {
            return Optional.empty();
        }
        Region region = device.region(VfioIoctl.VFIO_PCI_CONFIG_REGION_INDEX);
        if (region.size() < PciConfig.HEADER_BYTES || region.size() > PciConfig.MOST_BYTES) {
            throw new DeviceException(Errno.EINVAL,
                    "%s says its configuration space has %d bytes, which no PCI device has"
                    .formatted(device.name(), region.size()));
        }
        return Optional.of(new ConfigSpace(region, (int) region.size()));
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
     * @throws DeviceException EINVAL when it was saved from another kind of device; nothing was written then
     */
    void restore(byte[] saved) throws DeviceException {
        requireSameDevice(saved);
        for (int bar = 0; bar < PciConfig.BARS; bar++) {
            copy(saved, PciConfig.BAR_0 + bar * DWORD, DWORD);
        }
        copy(saved, PciConfig.CACHE_LINE_SIZE, 1);
        copy(saved, PciConfig.LATENCY_TIMER, 1);
        copy(saved, PciConfig.INTERRUPT_LINE, 1);
        copy(saved, PciConfig.COMMAND, WORD);
    }

    private void requireSameDevice(byte[] saved) throws DeviceException {
        byte[] own = region.read(0, PciConfig.HEADER_BYTES);
        boolean same = saved.length == size
                && equal(saved, own, PciConfig.VENDOR_DEVICE, DWORD)
                && equal(saved, own, PciConfig.CLASS_REVISION + REVISION_BYTES, DWORD - REVISION_BYTES);
        if (!same) {
            throw new DeviceException(Errno.EINVAL,
                    "the state was saved from a PCI device of another kind than " + region.device().name());
        }
    }

    private static boolean equal(byte[] saved, byte[] own, int offset, int count) {
        return Arrays.equals(saved, offset, offset + count, own, offset, offset + count);
    }

    private void copy(byte[] saved, int offset, int count) throws DeviceException {
        region.write(offset, Arrays.copyOfRange(saved, offset, offset + count));
    }
}
