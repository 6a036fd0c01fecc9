// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashMap;
import java.util.Map;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.osgi.framework.Filter;
import org.osgi.framework.FrameworkUtil;

/** Which owner devices are of interest. */
class LegacyIoProviderTest {

    @ParameterizedTest
    @ValueSource(strings = {"ferry.owner.id", "ferry.owner.member.type"})
    void shouldNotBeToldOfAnOwnerThatLacksAProperty(String missing) throws Exception {
        Filter owners = FrameworkUtil.createFilter(LegacyIoProvider.OWNERS);
        Map<String, Object> properties =
                new HashMap<>(Map.of("ferry.owner.id", "host1/pf0", "ferry.owner.member.type", "virtio-net"));
        assertThat(owners.matches(properties)).isTrue();

        properties.remove(missing);

        assertThat(owners.matches(properties)).isFalse();
    }
}
