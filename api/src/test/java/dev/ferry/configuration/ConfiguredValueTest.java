// SPDX-License-Identifier: Apache-2.0
package dev.ferry.configuration;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class ConfiguredValueTest {
    private static final String NOT_TAKEN = "chunk.kib in the configuration some.pid is not taken: ";

    private final List<String> complaints = new ArrayList<>();
    private final ConfiguredValue<Integer> value =
            ConfiguredValue.between("some.pid", "chunk.kib", 256, 4, 1024, complaints::add);

    @Test
    void shouldTakeWhatIsWithinTheBounds() {
        assertThat(value.get()).isEqualTo(256);
        assertThat(value.update(() -> 4)).isEqualTo(4);
        assertThat(value.update(() -> 1024)).isEqualTo(1024);
        assertThat(value.get()).isEqualTo(1024);
        assertThat(complaints).isEmpty();
    }

    @Test
    void shouldKeepTheLastGoodValueAndSayWhyWhenOneIsOutOfBounds() {
        value.update(() -> 8);

        assertThat(value.update(() -> 3)).isEqualTo(8);
        assertThat(value.update(() -> 1025)).isEqualTo(8);
        assertThat(value.get()).isEqualTo(8);
        assertThat(complaints).containsExactly(
                NOT_TAKEN + "it must be 4 to 1024, not 3; 8 stays in force",
                NOT_TAKEN + "it must be 4 to 1024, not 1025; 8 stays in force");
    }

    @Test
    void shouldKeepTheLastGoodValueAndSayWhyWhenOneCannotBeRead() {
        assertThat(value.update(() -> Integer.valueOf("soon"))).isEqualTo(256);
        assertThat(value.update(() -> {
            throw new IllegalStateException();
        })).isEqualTo(256);
        assertThat(value.update(() -> null)).isEqualTo(256);
        assertThat(complaints).containsExactly(
                NOT_TAKEN + "For input string: \"soon\"; 256 stays in force",
                NOT_TAKEN + "java.lang.IllegalStateException; 256 stays in force",
                NOT_TAKEN + "there is no value; 256 stays in force");
    }

    @Test
    void shouldTakeAnyValueThatCanBeReadWhenThereAreNoBounds() {
        ConfiguredValue<String> text = ConfiguredValue.of("some.pid", "host", "a", complaints::add);

        assertThat(text.update(() -> "")).isEmpty();
        assertThat(text.update(() -> "b".repeat(-1))).isEmpty();
        assertThat(complaints).containsExactly(
                "host in the configuration some.pid is not taken: count is negative: -1;  stays in force");
    }
}
