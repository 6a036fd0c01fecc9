// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static dev.ferry.vfio.backend.lab.LabChecks.refusal;

import dev.ferry.contract.Check;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import dev.ferry.vfio.backend.internal.device.Region;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;

/** The configuration space of the lab's own device, which is no part of what its module saves: our driver's. */
final class ConfigSpaceChecks {
    private static final int VENDOR = 0x00;

    /**
     * What a guest writes.
     *
     * @param before what the register holds in a device that no guest has
     */
    private record Written(String register, int offset, byte[] before, byte[] value) {
        Written(String register, int offset, int bytes, long before, long value) {
            this(register, offset, littleEndian(before, bytes), littleEndian(value, bytes));
        }

        private static byte[] littleEndian(long value, int bytes) {
            byte[] all = ByteBuffer.allocate(Long.BYTES).order(ByteOrder.LITTLE_ENDIAN).putLong(value).array();
            return Arrays.copyOf(all, bytes);
        }
    }

    /** The capabilities stand where the module has them: MSI at 0x40, MSI-X at 0x60, PCI Express at 0x70. */
    private static final List<Written> WRITTEN = List.of(
            new Written("command", 0x04, 2, 0, 0x0407),
            new Written("cache line size", 0x0C, 1, 0, 0x10),
            new Written("latency timer", 0x0D, 1, 0, 0x40),
            new Written("BAR 0", 0x10, 4, 0, 0xFEE01000L),
            new Written("BAR 5", 0x24, 4, 0, 0xFEE02000L),
            new Written("ROM address", 0x30, 4, 0, 0xFEF00000L),
            new Written("interrupt line", 0x3C, 1, 0, 0x0B),
            new Written("MSI control", 0x42, 2, 0x0180, 0x0190),
            new Written("MSI address", 0x44, 8, 0, 0x1_FEE00000L),
            new Written("MSI data", 0x4C, 2, 0, 0x4122),
            new Written("MSI mask", 0x50, 4, 0, 1),
            new Written("MSI-X control", 0x62, 2, 0x0003, 0x4003),
            new Written("device control", 0x78, 2, 0, 0x283F),
            new Written("device control 2", 0x98, 2, 0, 0x0005));

    private final HostDevices devices;
    private final String first;
    private final String second;

    ConfigSpaceChecks(HostDevices devices, String first, String second) {
        this.devices = devices;
        this.first = first;
        this.second = second;
    }

    List<Check> checks() {
        return List.of(
                new Check("PCI configuration space: what a guest wrote at the source is read at the destination",
                        this::carried),
                new Check("PCI configuration space: a state of another kind of device is refused", this::anotherKind));
    }

    private static Region config(Driven driven) throws Exception {
        return driven.open().device().region(VfioIoctl.VFIO_PCI_CONFIG_REGION_INDEX);
    }

    private void carried() throws Exception {
        try (Driven source = devices.open(first);
                Driven destination = devices.open(second)) {
            source.driver().reset();
            destination.driver().reset();
            for (Written written : WRITTEN) {
                config(source).write(written.offset(), written.value());
                config(destination).write(written.offset(), written.before());
            }
            LabChecks.migrate(source.driver(), destination.driver());
            for (Written written : WRITTEN) {
                byte[] read = config(destination).read(written.offset(), written.value().length);
                demand(Arrays.equals(read, written.value()), "%s holds %s", written.register(), Arrays.toString(read));
            }
        }
    }

    /** The module lets its user say who made the device. */
    private void anotherKind() throws Exception {
        try (Driven source = devices.open(first);
                Driven destination = devices.open(second)) {
            source.driver().reset();
            destination.driver().reset();
            byte[] vendor = config(source).read(VENDOR, 2);
            config(source).write(VENDOR, new byte[] {0x34, 0x12});
            try {
                refusal(Errno.EINVAL, () -> LabChecks.migrate(source.driver(), destination.driver()));
            } finally {
                config(source).write(VENDOR, vendor);
            }
            source.driver().reset();
            destination.driver().reset();
        }
    }
}
