// SPDX-License-Identifier: Apache-2.0
package dev.ferry.configuration;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class ConfigurationKeysTest {

    @interface Component {
        String host() default "";

        int rescan_seconds() default 0;

        int under__score() default 0;

        int with$_$hyphen() default 0;

        int new$() default 0;

        int dollar$$() default 0;
    }

    @Test
    void shouldReadTheNamesAsDeclarativeServicesDoes() {
        assertThat(ConfigurationKeys.of(Component.class).known())
                .containsExactly("dollar$", "host", "new", "rescan.seconds", "under_score", "with-hyphen");
    }

    @Test
    void shouldFindTheUsersOwnKeysThatMeanNothing() {
        assertThat(ConfigurationKeys.of(Component.class).unknown(List.of("host", "hots", "rescan.seconds",
                "rescan_seconds", "rescan.minutes", ".private", "service.pid", "component.id", "osgi.ds.satisfying",
                "felix.fileinstall.filename", "org.apache.felix.configurator", "ferry.stream.name", "queue.target",
                "queue.cardinality.minimum", "target")))
                .containsExactly("hots", "rescan.minutes", "rescan_seconds", "target");
    }

    @Test
    void shouldTellOnceAllThatMeansNothing() {
        ConfigurationKeys keys = new ConfigurationKeys(new TreeSet<>(List.of("host", "name")));
        List<String> complaints = new ArrayList<>();

        keys.tellUnknown("some.pid", List.of("host", "service.pid"), complaints::add);
        assertThat(complaints).isEmpty();

        keys.tellUnknown("some.pid~a", List.of("hots", "host", "nmae"), complaints::add);
        assertThat(complaints).containsExactly(
                "the configuration some.pid~a has keys without effect: hots, nmae; the keys are host, name");
    }

    @Test
    void shouldNotFollowTheSetThatItWasMadeOf() {
        TreeSet<String> names = new TreeSet<>(List.of("a"));
        ConfigurationKeys keys = new ConfigurationKeys(names);
        names.add("b");
        assertThat(keys.known()).containsExactly("a");
    }
}
