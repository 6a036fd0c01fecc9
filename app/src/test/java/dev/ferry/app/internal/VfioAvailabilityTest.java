// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Proxy;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.wiring.BundleCapability;
import org.osgi.framework.wiring.BundleRequirement;
import org.osgi.framework.wiring.BundleRevision;
import org.osgi.framework.wiring.FrameworkWiring;

class VfioAvailabilityTest {
    private static final String LEFT_OUT =
            "VFIO devices are not available (everything else is): the bundle dev.ferry.vfio.backend ";
    private static final int THIS_JAVA = Runtime.version().feature();

    /** Answers calls by the name of the method. */
    private static <T> T fake(Class<T> type, Map<String, Object> answers) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type},
                (proxy, method, arguments) -> answers.get(method.getName())));
    }

    private static BundleContext unresolved(int leastJava, boolean offered) {
        BundleRequirement java = need("osgi.ee", "(&(osgi.ee=JavaSE)(version=%d))".formatted(leastJava));
        BundleRequirement other = need("osgi.wiring.package", "(osgi.wiring.package=gone)");
        BundleRevision revision =
                fake(BundleRevision.class, Map.of("getDeclaredRequirements", List.of(java, other)));
        Bundle bundle = fake(Bundle.class, Map.of(
                "getSymbolicName", "dev.ferry.vfio.backend", "getState", Bundle.INSTALLED, "adapt", revision));
        FrameworkWiring wiring = fake(FrameworkWiring.class,
                Map.of("findProviders", offered ? List.of(fake(BundleCapability.class, Map.of())) : List.of()));
        Bundle framework = fake(Bundle.class, Map.of("adapt", wiring));
        return fake(BundleContext.class, Map.of("getBundles", new Bundle[] {bundle}, "getBundle", framework));
    }

    private static BundleRequirement need(String namespace, String filter) {
        return fake(BundleRequirement.class,
                Map.of("getNamespace", namespace, "getDirectives", Map.of("filter", filter)));
    }

    @Test
    void shouldNameTheJavaThatIsNeededWhenThisOneIsOlder() {
        assertThat(VfioAvailability.obstacle(unresolved(THIS_JAVA + 1, false), false)).contains(LEFT_OUT
                + "needs Java %d or newer, and this is Java %d; run Ferry with a newer one"
                        .formatted(THIS_JAVA + 1, THIS_JAVA));
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 1})
    void shouldNotBlameJavaWhenThisOneIsNewEnough(int newer) {
        assertThat(VfioAvailability.obstacle(unresolved(THIS_JAVA - newer, true), false))
                .contains(LEFT_OUT + "needs a bundle that is left out, too");
        assertThat(VfioAvailability.obstacle(unresolved(THIS_JAVA - newer, false), false)).get().asString()
                .startsWith(LEFT_OUT + "needs what nothing here offers: ")
                .endsWith("osgi.wiring.package (osgi.wiring.package=gone); "
                        + "install that, or run Ferry with another Java");
    }
}
