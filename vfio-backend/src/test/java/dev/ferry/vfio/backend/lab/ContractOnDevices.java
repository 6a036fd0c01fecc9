// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import dev.ferry.contract.Check;
import dev.ferry.contract.DriverContract;
import dev.ferry.contract.DriverSubject;
import dev.ferry.device.DeviceException;
import dev.ferry.device.MigrationDriver;
import dev.ferry.vfio.backend.internal.DriverFactory;
import java.io.IOException;
import java.util.List;

/**
 * The vendor contract on two real devices of this host, without a framework and without JUnit: one line per check, and
 * an exit status of 1 when one failed. Arguments: two PCI addresses or UUIDs, then {@code auto}, {@code group} or
 * {@code cdev}. Both devices are reset.
 */
public final class ContractOnDevices {
    private final HostDevices devices;
    private final String first;
    private final String second;

    private ContractOnDevices(String first, String second, String way) {
        this.devices = new HostDevices(way);
        this.first = first;
        this.second = second;
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

    private final class Pair implements DriverSubject {
        private final DriverFactory.Driven source = devices.open(first);
        private final DriverFactory.Driven destination;

        Pair() throws IOException, DeviceException {
            destination = devices.open(second);
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
