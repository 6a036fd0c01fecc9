// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking.Way;
import dev.ferry.vfio.backend.internal.fake.FakeDevice;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.fake.Vmm;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.io.TempDir;

/** One device on a fake host, lent or opened here; leaves no descriptor open. */
abstract class TrackingFixture {
    static final String ADDRESS = "0000:3b:00.2";
    static final long PAGE = 4096;

    @TempDir
    Path folder;

    FakeHost host;
    FakeDevice fake;
    OpenDevice open;
    final DirtyTracking tracking = new DirtyTracking();

    @BeforeEach
    void makeHost() throws Exception {
        host = new FakeHost(folder);
        fake = host.pci(ADDRESS, "mlx5_vfio_pci", "12");
    }

    @AfterEach
    void shouldLeaveNoDescriptor() {
        if (open != null) {
            open.close();
        }
        assertThat(host.kernel.openFiles()).isZero();
    }

    /** For a device that is lent with what a way needs. */
    DirtyTracking.Choice choose(Way lent, Way... allowed) throws Exception {
        open = Vmm.lend(host, ADDRESS, lent);
        return tracking.choose(open.device(), open.space(), 4096, List.of(allowed));
    }
}
