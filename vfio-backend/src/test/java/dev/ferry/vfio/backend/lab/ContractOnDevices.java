// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import dev.ferry.contract.DriverContract;
import dev.ferry.contract.DriverSubject;
import dev.ferry.device.DeviceException;
import dev.ferry.device.MigrationDriver;
import dev.ferry.vfio.backend.internal.DriverFactory;
import java.io.IOException;

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
        return LabChecks.run(new DriverContract(Pair::new).checks());
    }

    private final class Pair implements DriverSubject {
        private final DriverFactory.Driven source = devices.open(first);
        private final DriverFactory.Driven destination;

        Pair() throws IOException, DeviceException {
            try {
                destination = devices.open(second);
            } catch (IOException | RuntimeException e) {
                source.close();
                throw e;
            }
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
