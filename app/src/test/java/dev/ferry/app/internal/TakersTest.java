// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import java.util.function.Function;
import org.junit.jupiter.api.Test;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.ManagedService;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;

class TakersTest {

    private static <T> T fake(Class<T> type, Function<Object, Object> answer) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                (proxy, method, arguments) -> answer.apply(arguments == null ? null : arguments[0])));
    }

    @Test
    void shouldKnowComponentsAndServicesThatConfigAdminCalls() {
        ComponentDescriptionDTO description = new ComponentDescriptionDTO();
        description.configurationPid = new String[] {"a.component", "its.second"};
        Map<String, Object> properties = Map.of("service.pid", "a.service");
        ServiceReference<?> reference = fake(ServiceReference.class, properties::get);
        BundleContext context = fake(BundleContext.class, type ->
                type.equals(ManagedService.class.getName()) ? new ServiceReference<?>[] {reference} : null);
        Takers takers = Takers.of(context, fake(ServiceComponentRuntime.class, none -> List.of(description)));
        for (String pid : List.of("a.component", "its.second", "a.service")) {
            assertThat(takers.has(pid)).as(pid).isTrue();
        }
        assertThat(takers.has("foo.bar")).isFalse();
    }
}
