// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.contract.DriverContract;
import dev.ferry.contract.DriverSubject;
import dev.ferry.device.DeviceException;
import dev.ferry.device.MigrationDriver;
import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking;
import dev.ferry.vfio.backend.internal.fake.FakeDevice;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.fake.Vmm;
import dev.ferry.vfio.backend.lab.OpenPair;
import java.io.IOException;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The vendor contract on the fake kernel: with every set of features, both ways to a device, every way of tracking. */
class ContractTest {
    private static final String FIRST = "0000:3b:00.2";
    private static final String SECOND = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

    @TempDir
    private Path folder;

    @TestFactory
    Stream<DynamicContainer> contract() {
        return Stream.of(
                variant("all features, group", 7, false, false, false),
                variant("all features, character device", 7, true, true, false),
                variant("all features, mtty's way in PRE_COPY", 7, false, false, true),
                variant("STOP_COPY alone", 1, false, false, false),
                variant("without P2P", 5, true, false, false),
                variant("without PRE_COPY", 3, false, true, false));
    }

    private DynamicContainer variant(String name, long flags, boolean cdev, boolean bare, boolean zero) {
        try {
            DriverContract contract =
                    new DriverContract(() -> new Subject(folder.resolve(name), flags, cdev, bare, zero));
            return DynamicContainer.dynamicContainer(name, contract.checks().stream()
                    .map(check -> DynamicTest.dynamicTest(check.name(), check::run)));
        } catch (Exception e) {
            throw new AssertionError(e);
        }
    }

    /** Two devices of one host, opened as the bundle opens them; leaves no descriptor open. */
    static final class Subject implements DriverSubject {
        private final FakeHost host;
        private final OpenPair pair;
        /** What devices without a log of their own are lent with. */
        private Optional<DirtyTracking.Way> lent = Optional.empty();

        Subject(Path folder, long flags, boolean cdev, boolean bareTracking, boolean zero)
                throws IOException, DeviceException {
            host = new FakeHost(folder);
            prepare(host.pci(FIRST, "virtio_vfio_pci", "12"), flags, bareTracking, zero);
            prepare(host.mdev(SECOND, "mtty-2", "13"), flags, bareTracking, zero);
            host.mapPages(0, 1024);
            if (cdev) {
                host.cdev(FIRST, "pci", "vfio0");
                host.cdev(SECOND, "mdev", "vfio1");
            }
            if (bareTracking) {
                lent = Optional.of(cdev ? DirtyTracking.Way.IOMMUFD : DirtyTracking.Way.CONTAINER);
            }
            pair = new OpenPair(this::open, FIRST, SECOND);
        }

        private void prepare(FakeDevice device, long flags, boolean bareTracking, boolean zero) {
            device.flags = flags;
            device.logRanges = bareTracking ? -1 : 4;
            device.zeroInPreCopy = zero;
            device.shortRead = 5;
        }

        private DriverFactory.Driven open(String name) throws IOException, DeviceException {
            DriverFactory factory = new DriverFactory(host.kernel, host.root);
            List<DirtyTracking.Way> ways = List.of(DirtyTracking.Way.values());
            return lent.isPresent()
                    ? factory.drive(Vmm.lend(host, name, lent.get()), ways, () -> 60_000)
                    : factory.open(host.found(name), name, DeviceOpener.Way.AUTO, ways, () -> 60_000);
        }

        @Override
        public MigrationDriver source() {
            return pair.source();
        }

        @Override
        public MigrationDriver destination() {
            return pair.destination();
        }

        @Override
        public void close() {
            pair.close();
            assertThat(host.kernel.openFiles()).isZero();
        }
    }
}
