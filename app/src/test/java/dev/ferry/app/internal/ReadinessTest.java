// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.MigrationService;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;

class ReadinessTest {

    private static final Duration SHORT = Duration.ofMillis(20);

    private final List<ServiceReference<?>> queues = new ArrayList<>();
    private final List<DeviceDescription> devices = new ArrayList<>();
    private final ComponentConfigurationDTO component = new ComponentConfigurationDTO();

    private final MigrationService migrations = fake(MigrationService.class, (name, first) -> devices);
    private final BundleContext context = fake(BundleContext.class, (name, first) -> switch (name) {
        case "getServiceReferences" -> queues;
        case "getServiceReference" -> service(Map.of());
        case "getService" -> migrations;
        default -> true;
    });
    private final ServiceComponentRuntime components = fake(ServiceComponentRuntime.class, (name, first) -> {
        ComponentDescriptionDTO description = new ComponentDescriptionDTO();
        description.configurationPid = new String[] {Configuration.ADAPTER};
        return name.equals("getComponentDescriptionDTOs") ? List.of(description) : List.of(component);
    });

    @FunctionalInterface
    private interface Answer {
        Object to(String method, Object first);
    }

    private static <T> T fake(Class<T> type, Answer answer) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                (proxy, method, arguments) -> answer.to(method.getName(), arguments == null ? null : arguments[0])));
    }

    private static ServiceReference<?> service(Map<String, Object> properties) {
        return fake(ServiceReference.class, (name, key) -> properties.get(key));
    }

    private static DeviceDescription device(String owner) {
        return new DeviceDescription(
                owner + "/vf", "t", "h", Optional.of(owner), OptionalInt.empty(), "b", Optional.empty(), Set.of());
    }

    private List<String> missing(Object members) throws InterruptedException {
        Map<String, Object> properties = Map.of("host", "h", "name", "pf0", "members", members);
        Configuration adapter = new Configuration(Configuration.ADAPTER, "x", properties);
        Configuration other = new Configuration("something.else", "", Map.of());
        component.properties = properties;
        return readiness(List.of(adapter, other)).await(SHORT);
    }

    private Readiness readiness(List<Configuration> configurations) {
        return new Readiness(context, components, Adapters.owners(configurations), List.of());
    }

    @Test
    void shouldWaitForAsManyDevicesAsTheOwnerSaysHoweverTheyAreConfigured() throws Exception {
        component.state = ComponentConfigurationDTO.ACTIVE;
        for (Object members : List.of(2, 2L, "2")) {
            queues.clear();
            devices.clear();
            assertThat(missing(members)).containsExactly("the owner device h/pf0");
            queues.add(service(Map.of("ferry.owner.id", "h/pf0", "ferry.owner.members", 2)));
            devices.add(device("h/pf0"));
            devices.add(device("other/pf0"));
            assertThat(missing(members)).containsExactly("1 of the 2 devices of h/pf0");
            devices.add(device("h/pf0"));
            assertThat(missing(members)).isEmpty();
        }
    }

    @Test
    void shouldWaitUntilTheComponentOfTheAdapterIsActive() throws Exception {
        queues.add(service(Map.of("ferry.owner.id", "h/pf0", "ferry.owner.members", 0)));
        component.state = ComponentConfigurationDTO.SATISFIED;
        assertThat(missing(0)).containsExactly("1 of the 1 configured adapters");
        component.state = ComponentConfigurationDTO.ACTIVE;
        assertThat(missing(0)).isEmpty();
    }

    @Test
    void shouldEndTheWaitWhenTheComponentIsActiveAndHasPublishedNoAdapter() throws Exception {
        component.state = ComponentConfigurationDTO.ACTIVE;
        component.properties = Map.of("host", "h", "name", "pf0", "members", 5000);
        Readiness readiness =
                readiness(List.of(new Configuration(Configuration.ADAPTER, "x", component.properties)));
        long before = System.nanoTime();
        assertThat(readiness.await(Duration.ofSeconds(30))).containsExactly("the owner device h/pf0");
        assertThat(Duration.ofNanos(System.nanoTime() - before)).isLessThan(Duration.ofSeconds(20));
        assertThat(readiness.refused()).containsExactly("h/pf0");
        component.state = ComponentConfigurationDTO.SATISFIED;
        assertThat(readiness.refused()).isEmpty();
        component.state = ComponentConfigurationDTO.ACTIVE;
        queues.add(service(Map.of("ferry.owner.id", "h/pf0", "ferry.owner.members", 0)));
        assertThat(readiness.refused()).isEmpty();
    }

    @Test
    void shouldWaitUntilConfiguredVfioDevicesWereLookedAt() throws Exception {
        Configuration backend = new Configuration(
                Configuration.VFIO_BACKEND, "", Map.of("devices", List.of(" 0000:3B:00.2"), "access", "auto"));
        assertThat(Readiness.vfioDevices(List.of(backend))).containsExactly("0000:3b:00.2");
        Readiness readiness = new Readiness(context, components, List.of(), Readiness.vfioDevices(List.of(backend)));
        assertThat(readiness.await(SHORT)).containsExactly("the VFIO device 0000:3b:00.2");
        devices.add(new DeviceDescription("h/0000:3b:00.2", "t", "h", Optional.empty(), OptionalInt.empty(), "vfio",
                Optional.empty(), Set.of()));
        assertThat(readiness.await(SHORT)).containsExactly("the VFIO device 0000:3b:00.2");
        queues.add(service(Map.of("ferry.device.id", "h/0000:3b:00.2", "ferry.vfio.configured", false)));
        assertThat(readiness.await(SHORT)).containsExactly("the VFIO device 0000:3b:00.2");
        queues.set(0, service(Map.of("ferry.device.id", "h/0000:3b:00.2", "ferry.vfio.configured", true)));
        assertThat(readiness.await(SHORT)).isEmpty();
    }
}
