// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.contract.Check;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicContainer;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;
import org.junit.jupiter.api.io.TempDir;

/** The fake kernel is asked what the lab asks real ones: it answers as they do. */
class KernelChecksTest {
    private static final String NAME = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";

    @TempDir
    private Path folder;

    @TestFactory
    Stream<DynamicContainer> shouldAnswerAsARealKernel() throws Exception {
        return Stream.of(
                kernel("by group", false, false),
                kernel("by group, with feature 12", false, true),
                kernel("by character device", true, false));
    }

    private DynamicContainer kernel(String name, boolean cdev, boolean knowsPrecopyV2) throws Exception {
        FakeHost host = new FakeHost(folder.resolve(name));
        host.mdev(NAME, "mtty-2", "13").knowsPrecopyV2 = knowsPrecopyV2;
        if (cdev) {
            host.cdev(NAME, "mdev", "vfio0");
        }
        HostDevices devices = new HostDevices(host.kernel, host.root, cdev ? "cdev" : "group");
        List<Check> checks = new ArrayList<>(new KernelChecks(devices, NAME).checks());
        checks.addAll(new OpeningChecks(devices, NAME).checks());
        return DynamicContainer.dynamicContainer(name, checks.stream().map(check -> DynamicTest.dynamicTest(
                check.name(), () -> {
                    check.run();
                    assertThat(host.kernel.openFiles()).isZero();
                })));
    }
}
