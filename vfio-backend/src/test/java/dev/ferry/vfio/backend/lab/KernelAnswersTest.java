// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import dev.ferry.contract.Check;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The fake kernel is asked what the kernel lab asks real ones, and has to answer the same. */
class KernelAnswersTest {
    private static final String DEVICE = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

    @TempDir
    private Path folder;

    @TestFactory
    Stream<DynamicContainer> shouldAnswerAsRealKernelsDo() throws Exception {
        return Stream.of(container("group", false), container("cdev", true));
    }

    private DynamicContainer container(String way, boolean cdev) throws Exception {
        FakeHost host = new FakeHost(Files.createDirectory(folder.resolve(way)));
        host.mdev(DEVICE, "mtty-1", "7");
        if (cdev) {
            host.cdev(DEVICE, "mdev", "vfio0");
        }
        HostDevices devices = new HostDevices(host.kernel, host.root, way);
        List<Check> checks = new ArrayList<>(new OpeningChecks(devices, DEVICE).checks());
        checks.addAll(new KernelChecks(devices, DEVICE).checks());
        checks.add(new DirtyPagesChecks(devices, DEVICE, KernelFlavor.IOMMUFD).answered());
        return DynamicContainer.dynamicContainer(way, checks.stream()
                .map(check -> DynamicTest.dynamicTest(check.name(), check::run)));
    }
}
