// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** The memory of a bitmap, against what {@code iova_bitmap_get} of the kernel pins for a mark at any byte of it. */
class KernelBitmapPropertyTest {
    private static final int WORD = 8;

    /** Keeps what was allocated in it last. */
    private static final class Watched implements Arena {
        private final Arena arena = Arena.ofConfined();
        private MemorySegment allocated;

        @Override
        public MemorySegment allocate(long bytes, long alignment) {
            allocated = arena.allocate(bytes, alignment);
            return allocated;
        }

        @Override
        public MemorySegment.Scope scope() {
            return arena.scope();
        }

        @Override
        public void close() {
            arena.close();
        }
    }

    @Property
    void shouldHoldAllThatTheKernelPins(
            @ForAll @IntRange(min = 1, max = 2_000_000) int pages,
            @ForAll @IntRange(max = 2_000_000) int marked,
            @ForAll @IntRange(min = 12, max = 16) int pageShift) {
        long page = 1L << pageShift;
        try (Watched arena = new Watched()) {
            MemorySegment words = KernelBitmap.allocate(arena, pages, page);

            assertThat(words.byteSize()).isEqualTo((pages + 63) / 64 * WORD);
            long bytes = (pages - 1) / 8 + 1;
            long mark = words.address() + Math.min(marked / 8, bytes - 1);
            long left = words.address() + bytes - mark;
            long pinned = (left + page - 1) / page + (mark % page == 0 ? 0 : 1);
            long begin = mark - mark % page;
            assertThat(begin).isGreaterThanOrEqualTo(arena.allocated.address());
            assertThat(begin + pinned * page)
                    .isLessThanOrEqualTo(arena.allocated.address() + arena.allocated.byteSize());
        }
    }
}
