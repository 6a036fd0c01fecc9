// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.EnumSet;
import org.junit.jupiter.api.Test;

class MigrationFeatureTest {

    @Test
    void shouldHaveTheFlagsOfTheKernelHeader() {
        assertThat(MigrationFeature.STOP_COPY.flag()).isEqualTo(1);
        assertThat(MigrationFeature.P2P.flag()).isEqualTo(2);
        assertThat(MigrationFeature.PRE_COPY.flag()).isEqualTo(4);
    }

    @Test
    void shouldTurnFlagsToFeaturesAndBack() {
        for (long flags = 0; flags < 8; flags++) {
            assertThat(MigrationFeature.flagsOf(MigrationFeature.ofFlags(flags))).isEqualTo(flags);
        }
        assertThat(MigrationFeature.ofFlags(0xF8 | 1)).isEqualTo(EnumSet.of(MigrationFeature.STOP_COPY));
    }
}
