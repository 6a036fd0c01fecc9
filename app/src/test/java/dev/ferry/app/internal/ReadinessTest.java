// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.virtio.AdminQueue;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;

class ReadinessTest {

    private static final Duration SHORT = Duration.ofMillis(20);

    private final Collection<ServiceReference<?>> queues = new ArrayList<>();
    private final Collection<ServiceReference<?>> drivers = new ArrayList<>();
    private final BundleContext context = fake(BundleContext.class, (name, first) ->
            name.equals("getServiceReferences") ? first == AdminQueue.class ? queues : drivers : null);

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

    private List<String> missing(Object members) throws InterruptedException {
        Map<String, Object> properties = Map.of("host", "h", "name", "pf0", "members", members);
        Configuration adapter = new Configuration(Configuration.ADAPTER, "x", properties);
        Configuration other = new Configuration("something.else", "", Map.of());
        return new Readiness(context, Readiness.owners(List.of(adapter, other))).await(SHORT);
    }

    @Test
    void shouldWaitForAsManyDevicesAsTheOwnerSaysHoweverTheyAreConfigured() throws Exception {
        for (Object members : List.of(2, 2L, "2")) {
            queues.clear();
            drivers.clear();
            assertThat(missing(members)).containsExactly("the owner device h/pf0");
            queues.add(service(Map.of("ferry.owner.id", "h/pf0", "ferry.owner.members", 2)));
            drivers.add(service(Map.of("ferry.owner.id", "h/pf0")));
            drivers.add(service(Map.of("ferry.owner.id", "other/pf0")));
            assertThat(missing(members)).containsExactly("1 of the 2 devices of h/pf0");
            drivers.add(service(Map.of("ferry.owner.id", "h/pf0")));
            assertThat(missing(members)).isEmpty();
        }
    }
}
