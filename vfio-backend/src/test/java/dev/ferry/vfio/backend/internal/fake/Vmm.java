// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

import dev.ferry.vfio.backend.internal.access.ContainerSpace;
import dev.ferry.vfio.backend.internal.access.IommuSpace;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.device.VfioDevice;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking.Way;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import java.util.List;
import java.util.Optional;

/** The one VMM of the fake host, and what it lends; all of its devices are in one container. */
public final class Vmm {

    /**
     * Lends a device, and what is in place beside it.
     *
     * @param way for which the VMM lends what is needed beside the device
     */
    public static OpenDevice lend(FakeHost host, String name, Way way) {
        Descriptor device = descriptor(host, host.devices.get(name));
        return switch (way) {
            case DEVICE -> open(host, name, device, Optional.empty(), List.of(device));
            case CONTAINER -> {
                Descriptor container = descriptor(host, host.lentContainer());
                IommuSpace space = ContainerSpace.lent(host.kernel, container, "the container of " + name);
                yield open(host, name, device, Optional.of(space), List.of(device, container));
            }
            case IOMMUFD -> {
                Descriptor iommufd = descriptor(host, host.lentIommufd());
                IommuSpace space = IommufdSpace.ofPageTable(host.kernel, iommufd, name, FakeHost.PAGE_TABLE_OF_VMM);
                yield open(host, name, device, Optional.of(space), List.of(device, iommufd));
            }
        };
    }

    private static Descriptor descriptor(FakeHost host, FakeFile file) {
        return new Descriptor(host.kernel, host.kernel.install(file));
    }

    private static OpenDevice open(
            FakeHost host, String name, Descriptor device, Optional<IommuSpace> space, List<Descriptor> all) {
        return new OpenDevice(
                new VfioDevice(host.kernel, device, name), space, "lent", () -> all.forEach(Descriptor::close));
    }

    private Vmm() {}
}
