// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.configuration.ConfigurationOutcome;
import dev.ferry.device.MigrationDriver;
import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.MigrationService;
import dev.ferry.virtio.AdminQueue;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntUnaryOperator;
import java.util.function.LongSupplier;
import java.util.function.Supplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;

@Timeout(60)
class ReadinessTest {

    private static final Duration SHORT = Duration.ofMillis(20);
    /** Longer than a test may take. */
    private static final Duration FOR_EVER = Duration.ofHours(1);
    private static final String ADAPTER_PID = "dev.ferry.emulator.adapter~x";

    private final Map<ServiceReference<?>, Object> outcomes = new HashMap<>();
    private final List<ServiceReference<?>> queues = new ArrayList<>();
    private final List<ServiceReference<?>> drivers = new ArrayList<>();
    private Supplier<List<DeviceDescription>> devices = List::of;

    private final MigrationService migrations = fake(MigrationService.class, (name, first) -> devices.get());
    private final ServiceReference<?> migrationService = service(Map.of());
    private final BundleContext context = fake(BundleContext.class, (name, first) -> switch (name) {
        case "getServiceReferences" -> first == AdminQueue.class ? queues
                : first == MigrationDriver.class ? drivers : List.copyOf(outcomes.keySet());
        case "getServiceReference" -> migrationService;
        case "getService" -> first == migrationService ? migrations : outcomes.get(first);
        default -> true;
    });

    @FunctionalInterface
    private interface Answer {
        Object to(String method, Object first);
    }

    private static <T> T fake(Class<T> type, Answer answer) {
        return type.cast(Proxy.newProxyInstance(
                type.getClassLoader(), new Class<?>[] {type}, (proxy, method, arguments) -> switch (method.getName()) {
                    case "hashCode" -> System.identityHashCode(proxy);
                    case "equals" -> proxy == arguments[0];
                    default -> answer.to(method.getName(), arguments == null ? null : arguments[0]);
                }));
    }

    private static ServiceReference<?> service(Map<String, Object> properties) {
        return fake(ServiceReference.class, (name, key) -> properties.get(key));
    }

    private static DeviceDescription device(String id, Optional<String> owner) {
        return new DeviceDescription(
                id, "t", "h", owner, OptionalInt.empty(), "b", Optional.empty(), Set.of(), Optional.empty());
    }

    private static DeviceDescription member(String owner) {
        return device(owner + "/vf", Optional.of(owner));
    }

    private void answer(String pid, String refusal) {
        outcomes.clear();
        outcomes.put(service(Map.of()), new ConfigurationOutcome(pid, Optional.ofNullable(refusal)));
    }

    private static List<Configuration> adapterWith(Object members) {
        return List.of(
                new Configuration(Configuration.ADAPTER, "x", Map.of("host", "h", "name", "pf0", "members", members)),
                new Configuration("something.else", "", Map.of()));
    }

    private Readiness adapter(Object members) {
        return new Readiness(context, adapterWith(members));
    }

    private Readiness backend(Object... devices) {
        return new Readiness(context, List.of(new Configuration(
                Configuration.VFIO_BACKEND, "", Map.of("devices", List.of(devices), "access", "auto"))));
    }

    @Test
    void shouldWaitForAsManyDevicesAsTheOwnerSaysHoweverTheyAreConfigured() throws Exception {
        answer(ADAPTER_PID, null);
        for (Object members : List.of(2, 2L, "2")) {
            queues.clear();
            devices = List::of;
            assertThat(adapter(members).await(SHORT)).containsExactly("the owner device h/pf0");
            queues.add(service(Map.of("ferry.owner.id", "h/pf0", "ferry.owner.members", 2)));
            devices = () -> List.of(member("h/pf0"), member("other/pf0"));
            assertThat(adapter(members).await(SHORT)).containsExactly("1 of the 2 devices of h/pf0");
            devices = () -> List.of(member("h/pf0"), member("h/pf0"));
            assertThat(adapter(members).await(SHORT)).isEmpty();
        }
    }

    @Test
    void shouldWaitUntilTheConfigurationOfTheAdapterIsAnswered() throws Exception {
        queues.add(service(Map.of("ferry.owner.id", "h/pf0", "ferry.owner.members", 0)));
        answer("dev.ferry.emulator.adapter~y", null);
        assertThat(adapter(0).await(SHORT)).containsExactly("the owner device h/pf0");
        answer(ADAPTER_PID, null);
        assertThat(adapter(0).await(SHORT)).isEmpty();
    }

    @Test
    void shouldEndTheWaitWithTheReasonWhenAConfigurationIsRefused() throws Exception {
        answer(ADAPTER_PID, "members must be 0 to 4096, but is 5000");
        Readiness adapter = adapter(5000);
        assertThat(adapter.await(FOR_EVER)).containsExactly("the owner device h/pf0");
        assertThat(adapter.refused()).containsExactly("the configuration dev.ferry.emulator.adapter~x is not valid: "
                + "members must be 0 to 4096, but is 5000; correct it");

        answer("dev.ferry.vfio.backend", "access: 'foo' is none of [auto, group, cdev]");
        Readiness backend = backend("0000:3b:00.2");
        assertThat(backend.await(FOR_EVER)).containsExactly("the VFIO device 0000:3b:00.2");
        assertThat(backend.refused()).containsExactly("the configuration dev.ferry.vfio.backend is not valid: "
                + "access: 'foo' is none of [auto, group, cdev]; correct it");
        assertThat(adapter.refused()).as("another's").isEmpty();
    }

    @Test
    void shouldWaitForTheAnswerOfTheBackendWhenNoDeviceIsConfigured() throws Exception {
        assertThat(backend().await(SHORT)).containsExactly("an answer to the configuration dev.ferry.vfio.backend");
        answer("dev.ferry.vfio.backend", null);
        assertThat(backend().await(SHORT)).isEmpty();
        assertThat(backend().refused()).isEmpty();
    }

    @Test
    void shouldWaitUntilConfiguredVfioDevicesWereLookedAt() throws Exception {
        answer("dev.ferry.vfio.backend", null);
        Readiness readiness = backend(" 0000:3B:00.2");
        assertThat(readiness.await(SHORT)).containsExactly("the VFIO device 0000:3b:00.2");
        devices = () -> List.of(device("h/0000:3b:00.2", Optional.empty()));
        assertThat(readiness.await(SHORT)).containsExactly("the VFIO device 0000:3b:00.2");
        drivers.add(service(Map.of("ferry.device.id", "h/0000:3b:00.2", "ferry.vfio.configured", false)));
        assertThat(readiness.await(SHORT)).containsExactly("the VFIO device 0000:3b:00.2");
        drivers.set(0, service(Map.of("ferry.device.id", "h/0000:3b:00.2", "ferry.vfio.configured", true)));
        assertThat(readiness.await(SHORT)).isEmpty();
    }

    /** Each look takes 4 s of a patience of 10 s, and each second one finds one device more. */
    @Test
    void shouldWaitOnWhileSomethingComes() throws Exception {
        assertThat(awaitEightDevices(looks -> looks / 2)).isEmpty();
    }

    @Test
    void shouldNotTakeWhatComesAndGoesForProgress() throws Exception {
        assertThat(awaitEightDevices(looks -> looks % 2)).containsExactly("8 of the 8 devices of h/pf0");
    }

    private List<String> awaitEightDevices(IntUnaryOperator comeAfterLooks) throws Exception {
        int members = 8;
        answer(ADAPTER_PID, null);
        queues.add(service(Map.of("ferry.owner.id", "h/pf0", "ferry.owner.members", members)));
        AtomicInteger looks = new AtomicInteger();
        devices = () -> Collections.nCopies(
                Math.min(members, comeAfterLooks.applyAsInt(looks.getAndIncrement())), member("h/pf0"));
        LongSupplier clock = () -> TimeUnit.SECONDS.toNanos(4L * looks.get());
        return new Readiness(context, adapterWith(members), clock).await(Duration.ofSeconds(10));
    }
}
