// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.IommuSpace;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking.Way;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.fake.Vmm;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** A host whose devices record in one container, or in one page table; nothing is left recording behind a test. */
abstract class SharedLogsFixture {
    static final long PAGE = 4096;
    static final IovaRange RANGE = new IovaRange(0, 128 * PAGE);

    @TempDir
    Path folder;

    final List<AutoCloseable> opened = new ArrayList<>();
    final DirtyTracking tracking = new DirtyTracking();
    FakeHost host;
    OpenDevice device;

    @BeforeEach
    void makeHost() throws Exception {
        host = new FakeHost(folder);
    }

    @AfterEach
    void shouldLeaveNothing() throws Exception {
        for (AutoCloseable one : opened) {
            one.close();
        }
        assertThat(host.trackingIsOn()).isFalse();
        assertThat(host.kernel.openFiles()).isZero();
    }

    DirtyTracker ofGroup(String name) throws Exception {
        host.pci(name, "mlx5_vfio_pci", "12").logRanges = -1;
        device = Vmm.lend(host, name, Way.CONTAINER);
        opened.add(device);
        return tracker(device.space(), Way.CONTAINER);
    }

    DirtyTracker tracker(Optional<IommuSpace> space, Way way) throws DeviceException {
        DirtyTracker tracker =
                tracking.choose(device.device(), space, 4096, List.of(way)).tracker().orElseThrow();
        host.tracking.clear();
        return tracker;
    }

    static long[] report(DirtyTracker tracker, IovaRange range) throws DeviceException {
        ByteBuffer bitmap = ByteBuffer.allocate((int) ((range.length() / PAGE + 63) / 64 * 8))
                .order(ByteOrder.LITTLE_ENDIAN);
        tracker.reportAndClear(range, bitmap);
        long[] words = new long[bitmap.capacity() / 8];
        bitmap.asLongBuffer().get(words);
        return words;
    }
}
