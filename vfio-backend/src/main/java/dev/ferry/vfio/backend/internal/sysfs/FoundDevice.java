// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.sysfs;

import java.util.Optional;

/**
 * A device of the host, as sysfs describes it.
 *
 * @param name PCI address or UUID, as in sysfs and in the allow list
 * @param kind the bus it is on
 * @param type what both ends of a migration must agree on: vendor and device id, or the type of the mediated device
 * @param driver of the kernel that it is bound to
 * @param group the number of its IOMMU group, as in {@code /dev/vfio}
 * @param cdev its character device in {@code /dev/vfio/devices}; there since Linux 6.6, when the kernel has iommufd
 * @param obstacle why it cannot be opened, one sentence that says what to do; empty when nothing is known against it
 */
public record FoundDevice(
        String name,
        Kind kind,
        String type,
        Optional<String> driver,
        Optional<String> group,
        Optional<String> cdev,
        Optional<String> obstacle) {

    /** The buses that devices are looked for on. */
    public enum Kind {
        /** A PCI function, whatever drives it; also a name that the host does not have. */
        PCI("pci"),
        /** A mediated device. */
        MDEV("mdev");

        private final String bus;

        Kind(String bus) {
            this.bus = bus;
        }

        /** The bus's folder in {@code /sys/bus}. */
        public String bus() {
            return bus;
        }
    }
}
