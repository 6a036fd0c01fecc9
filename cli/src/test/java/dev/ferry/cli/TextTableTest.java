// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import org.junit.jupiter.api.Test;

class TextTableTest {

    @Test
    void shouldAlignColumnsWhenCellsDiffer() {
        assertThat(new TextTable("ID", "STATE").row("host1/pf0/vf1", "STOP").row("x", ""))
                .hasToString("ID             STATE\nhost1/pf0/vf1  STOP\nx\n");
    }

    @Test
    void shouldRefuseARowWhenItHasOtherColumns() {
        assertThatThrownBy(() -> new TextTable("ID").row("a", "b")).isInstanceOf(IllegalArgumentException.class);
    }
}
