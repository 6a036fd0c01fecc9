// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.MigrationDriver;
import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.access.UserMemory;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.fake.InterceptedCalls;
import dev.ferry.vfio.backend.internal.handover.Lending;
import dev.ferry.vfio.backend.internal.sys.SystemCalls;
import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.nio.file.Path;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import java.util.function.Consumer;
import java.util.function.Supplier;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** The services of a fake host's devices, and a test's hand in what the kernel and the registry do. */
abstract class DeviceServicesFixture {
    static final String VF = "0000:3b:00.2";
    static final String MDEV = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
    static final long LIMIT_SECONDS = 30;
    /** Where no wait is meant to end before its time, a stalled build must not end it. */
    static final long LONG_MILLIS = 60_000;

    private static final long PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(5);

    @TempDir
    Path folder;

    final Map<String, Map<String, Object>> registered = new ConcurrentHashMap<>();
    /** What was registered last for each device, also when it is no longer. */
    final Map<String, MigrationDriver> drivers = new ConcurrentHashMap<>();
    /** What happens before a system call, by the call's name. */
    final Map<String, Consumer<Object[]>> before = new ConcurrentHashMap<>();

    /** What happens before a device's service is gone, by the device's name. */
    final Map<String, Runnable> unregistering = new ConcurrentHashMap<>();

    final CountDownLatch entered = new CountDownLatch(1);
    final CountDownLatch letGo = new CountDownLatch(1);
    FakeHost host;
    SystemCalls calls;
    DriverFactory factory;
    DeviceServices services;
    boolean registryBreaks;

    @BeforeEach
    void makeHost() throws Exception {
        host = new FakeHost(folder);
        host.pci(VF, "virtio_vfio_pci", "12");
        host.mdev(MDEV, "mtty-2", "13");
        calls = InterceptedCalls.of(host.kernel, (call, arguments) -> {
            before.getOrDefault(call, ignored -> {}).accept(arguments);
            return null;
        });
        factory = new DriverFactory(calls, folder);
        services = services(new Patience(LONG_MILLIS, LONG_MILLIS, LONG_MILLIS));
    }

    DeviceServices services(Patience patience) {
        return new DeviceServices(() -> factory, this::register, "host9", patience);
    }

    /** The time for a turn, and for devices to be closed, is meant to end. */
    void waitNoLongerThan(long millis) {
        services = services(new Patience(millis, LONG_MILLIS, LONG_MILLIS));
    }

    private Runnable register(
            MigrationDriver driver, Optional<Supplier<UserMemory>> memory, Map<String, Object> properties) {
        if (registryBreaks && properties.containsKey("ferry.vfio.access")) {
            throw new IllegalStateException("told to break");
        }
        String name = ((String) properties.get("ferry.device.id")).substring("host9/".length());
        registered.put(name, properties);
        drivers.put(name, driver);
        return () -> {
            unregistering.getOrDefault(name, () -> {}).run();
            registered.remove(name);
        };
    }

    @AfterEach
    void shouldLeaveNothing() {
        letGo.countDown();
        services.close();
        assertThat(registered).isEmpty();
        assertThat(host.kernel.openFiles()).isZero();
    }

    void update(String... devices) throws Exception {
        services.update(new DeviceFinder(folder).find(Set.of(devices)),
                BackendSettings.of(Configured.with(Map.of("devices", devices))));
    }

    /** Waits for a device that is returned, as its lender does. */
    void takeBack(String name) {
        Lending.WayBack returned = services.takeBack(name);
        await(() -> returned.obstacle().isEmpty());
    }

    /** Waits without keeping a processor from those who are waited for. */
    static void await(BooleanSupplier condition) {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
        while (!condition.getAsBoolean()) {
            assertThat(System.nanoTime() - deadline).as("the limit").isNegative();
            LockSupport.parkNanos(PAUSE_NANOS);
        }
    }

    Object reason(String name) {
        return registered.get(name).get("ferry.not.migratable");
    }

    FoundDevice found(String name) throws Exception {
        return host.found(name);
    }

    OpenDevice opened(String name) throws Exception {
        return new DeviceOpener(calls, folder).open(found(name), name, DeviceOpener.Way.AUTO);
    }
}
