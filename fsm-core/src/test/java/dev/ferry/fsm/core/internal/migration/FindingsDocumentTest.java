// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.migration.Finding;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** The table for people has a row for each code, in their order, and no other. */
class FindingsDocumentTest {

    @Test
    void shouldDocumentEachCodeOnce() throws Exception {
        List<String> documented;
        try (Stream<String> lines = Files.lines(Path.of("..", "docs", "findings.md"))) {
            documented = lines.filter(line -> line.startsWith("| `"))
                    .map(line -> line.substring(3, line.indexOf('`', 3)))
                    .toList();
        }
        assertThat(documented)
                .containsExactlyElementsOf(
                        Stream.of(Finding.Code.values()).map(Enum::name).toList());
    }
}
