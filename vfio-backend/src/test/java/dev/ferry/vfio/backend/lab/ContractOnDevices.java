// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import dev.ferry.contract.Check;
import dev.ferry.contract.DriverContract;
import dev.ferry.vfio.backend.internal.DriverFactory;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * The vendor contract on two real devices of this host, without a framework and without JUnit: one line per check, and
 * an exit status of 1 when one failed. Arguments: two PCI addresses or UUIDs, then {@code auto}, {@code group} or
 * {@code cdev}; in the lab, {@code shipped} or {@code iommufd} for the {@link KernelFlavor}, which says how dirty pages
 * must be tracked. Both devices are reset.
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
        if (arguments.length < 3 || arguments.length > 4) {
            System.err.println("usage: ContractOnDevices DEVICE DEVICE auto|group|cdev [shipped|iommufd]");
            System.exit(2);
        }
        ContractOnDevices contract = new ContractOnDevices(arguments[0], arguments[1], arguments[2]);
        List<Check> checks = new ArrayList<>(new DriverContract(contract::pair).checks());
        if (arguments.length == 4) {
            KernelFlavor flavor = KernelFlavor.of(arguments[3]);
            checks.add(new Check("dirty pages are tracked in the best way that this kernel has", () -> {
                for (String name : List.of(contract.first, contract.second)) {
                    try (DriverFactory.Driven driven = contract.devices.open(name)) {
                        flavor.demandTracking(driven);
                    }
                }
            }));
        }
        System.exit(LabChecks.run(checks) == 0 ? 0 : 1);
    }

    private OpenPair pair() throws IOException {
        return new OpenPair(devices::open, first, second);
    }
}
