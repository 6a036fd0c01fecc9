// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import dev.ferry.device.DeviceException;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.KernelBitmap;
import dev.ferry.vfio.backend.internal.access.OwnMemory;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.util.List;

/**
 * A log of a space in which this bundle alone maps memory, so that it is known what is mapped. The kernel is asked of
 * that and of nothing else: no device writes where nothing is mapped, and what the kernel says of a hole is worth
 * nothing. What was unmapped since the report before counts as written, since its marks went with the mapping.
 */
record OwnMemoryLog(OwnMemory memory, DirtyLog kernel) implements DirtyLog {

    @Override
    public void begin(long pageSize, List<IovaRange> ranges) throws DeviceException {
        memory.record(true);
        boolean done = false;
        try {
            kernel.begin(pageSize, ranges);
            done = true;
        } finally {
            if (!done) {
                memory.record(false);
            }
        }
    }

    @Override
    public void report(IovaRange range, long pageSize, MemorySegment bitmap) throws DeviceException {
        memory.report(range, (mapped, gone) -> {
            if (gone.isEmpty() && mapped.equals(List.of(range))) {
                kernel.report(range, pageSize, bitmap);
                return;
            }
            PageNumbers written = new PageNumbers();
            for (IovaRange part : mapped) {
                add(written, part, pageSize, words -> kernel.report(part, pageSize, words));
            }
            for (IovaRange part : gone) {
                add(written, part, pageSize, words -> DirtyLog.setAll(words, part.length() / pageSize));
            }
            written.moveTo(range.iova() / pageSize, range.length() / pageSize, bitmap);
        });
    }

    private interface Telling {
        void tell(MemorySegment words) throws DeviceException;
    }

    private void add(PageNumbers written, IovaRange part, long pageSize, Telling telling)
            throws DeviceException {
        try (Arena arena = Arena.ofConfined()) {
            MemorySegment bitmap = KernelBitmap.allocate(arena, part.length() / pageSize, memory.pageSize());
            telling.tell(bitmap);
            written.add(part.iova() / pageSize, bitmap);
        }
    }

    @Override
    public void end() throws DeviceException {
        memory.record(false);
        kernel.end();
    }
}
