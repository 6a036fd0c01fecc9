// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.memory;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.IovaRange;
import dev.ferry.fsm.core.internal.device.Gate;
import dev.ferry.migration.MigrationException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

class DirtyBitmapTest {

    private static final long GIB = 1L << 30;
    private static final long TIB = 1L << 40;
    private static final Gate OPEN = () -> {};

    @Test
    void shouldGiveRunsInOrderOnceAndCutThemToTheMemory() throws Exception {
        DirtyBitmap bitmap =
                new DirtyBitmap(List.of(new IovaRange(100, 8000), new IovaRange(0x10000, 4096 * 70)), 4096);
        bitmap.setAll();
        assertThat(bitmap.dirtyBytes()).isEqualTo(4096 * 72);
        assertThat(drain(bitmap)).containsExactly(new IovaRange(100, 8000), new IovaRange(0x10000, 4096 * 70));
        assertThat(drain(bitmap)).isEmpty();

        bitmap.set(new IovaRange(0x10000 + 4095, 2), OPEN);
        bitmap.set(new IovaRange(0x10000 + 69 * 4096, 1), OPEN);
        bitmap.set(new IovaRange(0, 1), OPEN);
        bitmap.set(new IovaRange(0x9000, 4096), OPEN);
        assertThat(drain(bitmap))
                .containsExactly(
                        new IovaRange(100, 3996),
                        new IovaRange(0x10000, 8192),
                        new IovaRange(0x10000 + 69 * 4096, 4096));
    }

    @Test
    void shouldTake32MibForATebibyteAndScanItFast() throws Exception {
        List<IovaRange> ranges = List.of(new IovaRange(0, TIB));
        assertThat(DirtyBitmap.bytesFor(ranges, 4096)).isEqualTo(32 << 20);
        DirtyBitmap bitmap = new DirtyBitmap(ranges, 4096);
        for (long at = 0; at < TIB; at += GIB) {
            bitmap.set(new IovaRange(at, 1), OPEN);
        }
        assertThat(drain(bitmap)).hasSize(1024);
        bitmap.setAll();
        AtomicLong carried = new AtomicLong();
        bitmap.drain((iova, length) -> carried.addAndGet(length));
        assertThat(carried).hasValue(TIB);
    }

    private static List<IovaRange> drain(DirtyBitmap bitmap) throws MigrationException {
        List<IovaRange> runs = new ArrayList<>();
        bitmap.drain((iova, length) -> runs.add(new IovaRange(iova, length)));
        return runs;
    }
}
