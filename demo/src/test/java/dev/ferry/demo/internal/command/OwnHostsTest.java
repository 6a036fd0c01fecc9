// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.cli.UsageException;
import dev.ferry.configuration.ConfigurationOutcome;
import dev.ferry.migration.MigrationService;
import java.lang.reflect.InvocationHandler;
import java.lang.reflect.Proxy;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Supplier;
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

    private static ConfigurationOutcome outcome(String name, String refusal) {
        return new ConfigurationOutcome("dev.ferry.emulator.adapter~" + name, Optional.ofNullable(refusal));
    }

    private DemoServices services(Supplier<List<ConfigurationOutcome>> outcomes) {
        ConfigurationAdmin admin = fake(ConfigurationAdmin.class,
                (proxy, method, arguments) -> configuration(arguments[0] + "~" + arguments[1]));
        MigrationService service = fake(MigrationService.class, (proxy, method, arguments) -> List.of());
        return new DemoServices(service, List::of, outcomes, Optional.of(admin), new OneAtATime());
    }

    @Test
    void shouldGiveTheReasonWhenTheEmulatorRefusesOneOfThem() throws Exception {
        List<ConfigurationOutcome> outcomes = new ArrayList<>();
        try (OwnHosts hosts = new OwnHosts(services(() -> List.copyOf(outcomes)), 1, "odd")) {
            outcomes.add(outcome("another", "it is another's"));
            outcomes.add(outcome("demo-source", null));
            outcomes.add(outcome("demo-destination", "latency is odd"));
            assertThatExceptionOfType(UsageException.class)
                    .isThrownBy(() -> hosts.await(1))
                    .withMessage("the emulator does not make the VFs of the demo: latency is odd");
        }
        assertThat(deleted).hasSize(2);
    }

    @Test
    void shouldNotTakeTheAnswerToAnEarlierDemonstrationForItsOwn() throws Exception {
        List<ConfigurationOutcome> outcomes = new ArrayList<>(List.of(outcome("demo-source", "latency is odd")));
        try (OwnHosts hosts = new OwnHosts(services(() -> List.copyOf(outcomes)), 1, "odder")) {
            outcomes.add(outcome("demo-source", "latency is odder"));
            assertThatExceptionOfType(UsageException.class)
                    .isThrownBy(() -> hosts.await(1))
                    .withMessageEndingWith(": latency is odder");
        }
    }
}
