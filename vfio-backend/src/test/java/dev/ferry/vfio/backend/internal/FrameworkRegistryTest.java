// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.ferry.device.DeviceMemory;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.UnmigratableDriver;
import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import java.lang.reflect.Proxy;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceFactory;
import org.osgi.framework.ServiceRegistration;

/** A device's driver and memory, as services of a framework. */
class FrameworkRegistryTest {
    private static final String VF = "0000:3b:00.2";
    private static final int PAGE = 4096;
    private static final MigrationDriver DRIVER = new UnmigratableDriver("dev0", "none");

    @TempDir
    private Path folder;

    private final List<String> events = new ArrayList<>();
    private final List<ServiceFactory<?>> factories = new ArrayList<>();
    private String refused = "";
    private FakeHost host;
    private OpenDevice device;

    @BeforeEach
    void open() throws Exception {
        host = new FakeHost(folder);
        host.pci(VF, "virtio_vfio_pci", "12");
        device = new DeviceOpener(host.kernel, host.root).open(host.found(VF), "dev0", DeviceOpener.Way.GROUP);
    }

    @AfterEach
    void close() {
        device.close();
        assertThat(host.kernel.openFiles()).isZero();
    }

    private BundleContext context() {
        return (BundleContext) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {BundleContext.class}, (proxy, method, arguments) -> {
                    assertThat(method.getName()).isEqualTo("registerService");
                    return registered(((Class<?>) arguments[0]).getSimpleName(), arguments[1]);
                });
    }

    private ServiceRegistration<?> registered(String type, Object service) {
        if (type.equals(refused)) {
            throw new IllegalStateException("told to break");
        }
        events.add("+" + type);
        if (service instanceof ServiceFactory<?> factory) {
            factories.add(factory);
        }
        return (ServiceRegistration<?>) Proxy.newProxyInstance(
                getClass().getClassLoader(), new Class<?>[] {ServiceRegistration.class}, (proxy, method, arguments) -> {
                    events.add("-" + type);
                    return null;
                });
    }

    private static ByteBuffer page() {
        return ByteBuffer.allocateDirect(2 * PAGE).alignedSlice(PAGE).limit(PAGE);
    }

    @Test
    void shouldHaveMemoryForAsLongAsTheDriver() {
        Runnable withdraw = new FrameworkRegistry(context()).register(DRIVER, device.memory(), Map.of());
        withdraw.run();

        assertThat(events).containsExactly(
                "+DeviceMemory", "+MigrationDriver", "-MigrationDriver", "-DeviceMemory");
    }

    @Test
    void shouldRegisterNoMemoryWhereAnotherProcessMaps() {
        new FrameworkRegistry(context()).register(DRIVER, Optional.empty(), Map.of()).run();

        assertThat(events).containsExactly("+MigrationDriver", "-MigrationDriver");
    }

    @Test
    void shouldWithdrawTheMemoryOfADriverThatCannotBeRegistered() {
        refused = "MigrationDriver";

        assertThatIllegalStateException()
                .isThrownBy(() -> new FrameworkRegistry(context()).register(DRIVER, device.memory(), Map.of()));

        assertThat(events).containsExactly("+DeviceMemory", "-DeviceMemory");
    }

    /** As a framework does for a bundle that stops, or when the service is unregistered. */
    @Test
    void shouldUnmapWhatABundleHasMappedWhenItGivesTheServiceBack() throws Exception {
        new FrameworkRegistry(context()).register(DRIVER, device.memory(), Map.of());
        ServiceFactory<DeviceMemory> factory = (MemoryOfUsers) factories.get(0);
        DeviceMemory first = factory.getService(null, null);
        DeviceMemory second = factory.getService(null, null);
        first.map(0, page());
        second.map(PAGE, page());
        assertThat(host.mapped).hasSize(2);

        factory.ungetService(null, null, first);

        assertThat(host.mapped).containsOnlyKeys((long) PAGE);
        factory.ungetService(null, null, second);
        assertThat(host.mapped).isEmpty();
    }
}
