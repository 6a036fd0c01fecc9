// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class CommandDirectoryTest {

    private final CommandDirectory commands = new CommandDirectory(List.of(
            Map.of(
                    "osgi.command.function", new String[] {"state", "transitions"},
                    "ferry.command.summary", new String[] {"state:Shows: the state.", "transitions:The matrix."},
                    "ferry.command.devices", "state"),
            Map.of("osgi.command.function", "bare"),
            Map.of("ferry.command.summary", "nothing:No such function.")));

    @Test
    void shouldListCommandsByNameWithTheirSummary() {
        assertThat(commands.lines().lines())
                .containsExactly("  bare", "  state        Shows: the state.", "  transitions  The matrix.");
        assertThat(commands.names()).isEqualTo("bare, state, transitions");
    }

    @Test
    void shouldKnowWhichCommandsWorkOnDevices() {
        assertThat(commands.needsDevices("state")).isTrue();
        assertThat(commands.needsDevices("transitions")).isFalse();
        assertThat(commands.has("bare")).isTrue();
        assertThat(commands.has("nothing")).isFalse();
    }
}
