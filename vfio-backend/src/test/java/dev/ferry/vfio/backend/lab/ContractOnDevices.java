// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import dev.ferry.contract.Check;
import dev.ferry.contract.DriverContract;
import dev.ferry.contract.DriverSubject;
import dev.ferry.device.DeviceException;
import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.DeviceState;
import dev.ferry.vfio.backend.internal.DriverFactory;
import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking;
import dev.ferry.vfio.backend.internal.sys.LinuxSystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Locale;
import java.util.Set;

/**
 * The vendor contract on two real devices of this host, without a framework and without JUnit: one line per check, and an
 * exit status of 1 when one failed. Arguments: two PCI addresses or UUIDs, then {@code auto}, {@code group} or {@code
 * cdev}. Both devices are reset.
 */
public final class ContractOnDevices {
    private static final int DATA_TIMEOUT_MILLIS = 2_000;

    private final DriverFactory factory = new DriverFactory(new LinuxSystemCalls(), Path.of("/"));
    private final DeviceFinder finder = new DeviceFinder(Path.of("/"));
    private final String first;
    private final String second;
    private final DeviceOpener.Way way;

    private ContractOnDevices(String first, String second, String way) {
        this.first = first;
        this.second = second;
        this.way = DeviceOpener.Way.valueOf(way.toUpperCase(Locale.ROOT));
    }

    /** Runs all checks. */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 3) {
            System.err.println("usage: ContractOnDevices DEVICE DEVICE auto|group|cdev");
            System.exit(2);
        }
        int failed = new ContractOnDevices(arguments[0], arguments[1], arguments[2]).run();
        System.exit(failed == 0 ? 0 : 1);
    }

    private int run() throws Exception {
        int failed = 0;
        List<Check> checks = new DriverContract(Pair::new).checks();
        for (Check check : checks) {
            try {
                check.run();
                System.out.println("ok    " + check.name());
            } catch (Exception | AssertionError e) {
                failed++;
                System.out.println("FAIL  " + check.name() + ": " + e);
            }
        }
        System.out.println(checks.size() + " checks, " + failed + " failed");
        return failed;
    }

    /** Opens a device by its name, as the bundle would. */
    private DriverFactory.Driven open(String name) throws IOException, DeviceException {
        FoundDevice found = finder.find(Set.of(name)).stream()
                .filter(device -> device.name().equals(name))
                .findFirst()
                .orElseThrow();
        DriverFactory.Driven driven = factory.open(
                found, name, way, List.of(DirtyTracking.Way.values()), () -> DATA_TIMEOUT_MILLIS);
        if (driven.driver().state() != DeviceState.RUNNING) {
            driven.driver().reset();
        }
        return driven;
    }

    private final class Pair implements DriverSubject {
        private final DriverFactory.Driven source = open(first);
        private final DriverFactory.Driven destination;

        Pair() throws IOException, DeviceException {
            destination = open(second);
        }

        @Override
        public MigrationDriver source() {
            return source.driver();
        }

        @Override
        public MigrationDriver destination() {
            return destination.driver();
        }

        @Override
        public void close() {
            source.close();
            destination.close();
        }
    }
}
