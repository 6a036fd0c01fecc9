// SPDX-License-Identifier: Apache-2.0
package dev.ferry.device;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import org.junit.jupiter.api.Test;

class PrecopyInfoTest {

    @Test
    void shouldAddWhatThereIsToReadUpToAsMuchAsThereCanBe() {
        assertThat(new PrecopyInfo(3, 4, false).totalBytes()).isEqualTo(7);
        assertThat(new PrecopyInfo(0, Long.MAX_VALUE, false).totalBytes()).isEqualTo(Long.MAX_VALUE);
        assertThat(new PrecopyInfo(3, Long.MAX_VALUE, false).totalBytes()).isEqualTo(Long.MAX_VALUE);
        assertThat(new PrecopyInfo(Long.MAX_VALUE, Long.MAX_VALUE, true).totalBytes()).isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void shouldRefuseNegativeSizes() {
        assertThatIllegalArgumentException().isThrownBy(() -> new PrecopyInfo(-1, 0, false));
        assertThatIllegalArgumentException().isThrownBy(() -> new PrecopyInfo(0, -1, false));
    }
}
