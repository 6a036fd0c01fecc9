// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.configuration.ConfigurationOutcome;
import dev.ferry.migration.MigrationService;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

class OwnHostsTest {

    private final List<Object> deleted = new ArrayList<>();

    private static <T> T fake(Class<T> type, InvocationHandler answer) {
        return type.cast(Proxy.newProxyInstance(type.getClassLoader(), new Class<?>[] {type}, answer));
    }

    private Configuration configuration(String pid) {
        return fake(Configuration.class, (proxy, method, arguments) -> switch (method.getName()) {
            case "getPid" -> pid;
            case "delete" -> {
                deleted.add(pid);
                yield null;
            }
            default -> null;
        });
    }

    @Test
    void shouldWaitAtTheEndUntilTheOutcomesOfItsConfigurationsAreGone() throws Exception {
        ConfigurationAdmin admin = fake(ConfigurationAdmin.class,
                (proxy, method, arguments) -> configuration(arguments[0] + "~" + arguments[1]));
        MigrationService service = fake(MigrationService.class, (proxy, method, arguments) -> List.of());
        ConfigurationOutcome another =
                new ConfigurationOutcome("dev.ferry.emulator.adapter~another", Optional.of("it is another's"));
        AtomicInteger looks = new AtomicInteger();
        DemoServices services = new DemoServices(service, List::of, () -> {
            assertThat(deleted).hasSize(2);
            return looks.incrementAndGet() < 3
                    ? List.of(another, new ConfigurationOutcome(
                            "dev.ferry.emulator.adapter~demo-source", Optional.of("latency is odd")))
                    : List.of(another);
        }, Optional.of(admin), new OneAtATime());

        new OwnHosts(services, 1, "odd").close();

        assertThat(looks).as("the last of them finds no answer that a next demo could take for its own").hasValue(3);
    }

    @Test
    void shouldGiveTheReasonWhenTheEmulatorRefusesOneOfThem() throws Exception {
        ConfigurationAdmin admin = fake(ConfigurationAdmin.class,
                (proxy, method, arguments) -> configuration(arguments[0] + "~" + arguments[1]));
        MigrationService service = fake(MigrationService.class, (proxy, method, arguments) -> List.of());
        List<ConfigurationOutcome> outcomes = new CopyOnWriteArrayList<>(List.of(
                new ConfigurationOutcome("dev.ferry.emulator.adapter~another", Optional.of("it is another's")),
                new ConfigurationOutcome("dev.ferry.emulator.adapter~demo-source", Optional.empty()),
                new ConfigurationOutcome("dev.ferry.emulator.adapter~demo-destination", Optional.of("latency is odd"))));
        DemoServices services =
                new DemoServices(service, List::of, () -> outcomes, Optional.of(admin), new OneAtATime());

        try (OwnHosts hosts = new OwnHosts(services, 1, "odd")) {
            assertThatExceptionOfType(CommandFailedException.class)
                    .isThrownBy(() -> hosts.await(1))
                    .withMessage("the emulator does not make the VFs of the demo: latency is odd");
            outcomes.clear();
        }
        assertThat(deleted).hasSize(2);
    }
}
