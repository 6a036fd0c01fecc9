// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.core.internal.migration.Settings;
import java.lang.reflect.Method;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.function.Function;
import org.junit.jupiter.api.Test;

class ConfiguredSettingsTest {

    private final ConfiguredSettings configured = new ConfiguredSettings();
    private final MigrationRig.Values values = new MigrationRig.Values();

    @Test
    void shouldConvertUnits() {
        values.drainSeconds = 3;
        values.chunkKib = 8;
        values.spoolMemoryMib = 1;
        values.spoolFileMib = 1024 * 1024;
        values.parallel = 2;
        values.outgoing = 3;
        values.incoming = 4;
        values.threads = 5;
        values.bitmapMib = 6;
        values.reports = 7;

        assertThat(configured.update(values))
                .isEqualTo(new Settings(
                        Duration.ofSeconds(3), 8 * 1024, 1024 * 1024, 1L << 40, 6L << 20, 2, 3, 4, 5, 7));
    }

    @Test
    void shouldKeepTheLastGoodValueWhenOneIsOutOfBounds() {
        values.chunkKib = 8;
        Settings good = configured.update(values);
        values.chunkKib = 3;
        assertThat(configured.update(values)).isEqualTo(good);
        values.chunkKib = 16 * 1024 + 1;
        assertThat(configured.update(values)).isEqualTo(good);
        values.drainSeconds = 0;
        values.parallel = 0;
        values.spoolMemoryMib = -1;
        assertThat(configured.update(values)).isEqualTo(good);
    }

    @Test
    void shouldTakeTheOtherValuesWhenOneIsWrong() {
        values.chunkKib = -1;
        values.parallel = 7;

        Settings settings = configured.update(values);

        assertThat(settings.chunkBytes()).isEqualTo(256 * 1024);
        assertThat(settings.parallelMigrations()).isEqualTo(7);
    }

    @Test
    void shouldKeepTheDefaultsThatToolsAreTold() {
        Settings told = new ConfiguredSettings().update(configuration(Method::getDefaultValue));

        assertThat(configured.update(configuration(key -> Integer.MIN_VALUE))).isEqualTo(told);
        assertThat(configured.update(configuration(key -> Integer.MAX_VALUE))).isEqualTo(told);
    }

    private static Configuration configuration(Function<Method, Object> values) {
        return (Configuration) Proxy.newProxyInstance(
                Configuration.class.getClassLoader(),
                new Class<?>[] {Configuration.class},
                (proxy, key, none) -> values.apply(key));
    }

    @Test
    void shouldKeepTheDefaultWhenAValueIsNoNumber() {
        MigrationRig.Values notNumeric = new MigrationRig.Values() {
            @Override
            public int drain_timeout_seconds() {
                throw new NumberFormatException("soon");
            }
        };

        assertThat(configured.update(notNumeric).drainTimeout()).isEqualTo(Duration.ofSeconds(10));
    }
}
