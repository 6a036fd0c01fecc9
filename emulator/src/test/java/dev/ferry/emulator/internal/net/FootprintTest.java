// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FootprintTest {

    private static final int FUNCTIONS = 1000;
    private static final int MANY = 20_000;
    private static final long BYTES_EACH = 8192;

    @Test
    void shouldCostKilobytesUntilItsQueuesAreUsed() {
        List<VirtioNetFunction> functions = new ArrayList<>(MANY);
        long before = used();
        for (int i = 0; i < MANY; i++) {
            functions.add(TestFunctions.function(4));
        }
        long each = (used() - before) / MANY;
        assertThat(each).isPositive().isLessThan(BYTES_EACH);
        assertThat(functions).hasSizeGreaterThan(FUNCTIONS);
    }

    @Test
    void shouldStartNoThread() {
        int before = Thread.activeCount();
        List<VirtioNetFunction> functions = new ArrayList<>(FUNCTIONS);
        for (int i = 0; i < FUNCTIONS; i++) {
            functions.add(TestFunctions.function(4));
        }
        assertThat(Thread.activeCount()).isLessThanOrEqualTo(before);
        assertThat(functions).hasSize(FUNCTIONS);
    }

    private static long used() {
        for (int i = 0; i < 4; i++) {
            System.gc();
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }
}
