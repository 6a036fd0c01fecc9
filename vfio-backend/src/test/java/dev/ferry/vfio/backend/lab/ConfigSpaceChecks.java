// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static dev.ferry.vfio.backend.lab.LabChecks.demand;
import static dev.ferry.vfio.backend.lab.LabChecks.refusal;

import dev.ferry.contract.Check;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.DriverFactory.Driven;
import dev.ferry.vfio.backend.internal.device.Region;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import java.util.Arrays;
import java.util.List;

/** The configuration space of the lab's own device, which is no part of what its module saves: the driver carries it. */
final class ConfigSpaceChecks {
    private static final int VENDOR = 0x00;
    private static final int COMMAND = 0x04;
    private static final int CACHE_LINE_SIZE = 0x0C;
    private static final int LATENCY_TIMER = 0x0D;
    private static final int BAR_0 = 0x10;
    private static final int BAR_5 = 0x24;
    private static final int INTERRUPT_LINE = 0x3C;

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
                new Check("PCI configuration space: what a guest wrote at the source is read at the destination", this::carried),
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
            // What an earlier migration left there; not the class, 8 to 11.
            config(destination).write(COMMAND, new byte[2]);
            config(destination).write(CACHE_LINE_SIZE, new byte[INTERRUPT_LINE + 1 - CACHE_LINE_SIZE]);
            write(config(source), COMMAND, 0x07, 0x04);
            write(config(source), CACHE_LINE_SIZE, 0x10);
            write(config(source), LATENCY_TIMER, 0x40);
            write(config(source), BAR_0, 0x00, 0x10, 0xE0, 0xFE);
            write(config(source), BAR_5, 0x00, 0x20, 0xE0, 0xFE);
            write(config(source), INTERRUPT_LINE, 0x0B);
            LabChecks.migrate(source.driver(), destination.driver());
            demandRead(config(destination), COMMAND, 0x07, 0x04);
            demandRead(config(destination), CACHE_LINE_SIZE, 0x10);
            demandRead(config(destination), LATENCY_TIMER, 0x40);
            demandRead(config(destination), BAR_0, 0x00, 0x10, 0xE0, 0xFE);
            demandRead(config(destination), BAR_5, 0x00, 0x20, 0xE0, 0xFE);
            demandRead(config(destination), INTERRUPT_LINE, 0x0B);
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

    private static byte[] bytes(int... values) {
        byte[] bytes = new byte[values.length];
        for (int i = 0; i < values.length; i++) {
            bytes[i] = (byte) values[i];
        }
        return bytes;
    }

    private static void write(Region region, int offset, int... values) throws Exception {
        region.write(offset, bytes(values));
    }

    private static void demandRead(Region region, int offset, int... values) throws Exception {
        byte[] read = region.read(offset, values.length);
        demand(Arrays.equals(read, bytes(values)), "0x%02x holds %s", offset, Arrays.toString(read));
    }
}
