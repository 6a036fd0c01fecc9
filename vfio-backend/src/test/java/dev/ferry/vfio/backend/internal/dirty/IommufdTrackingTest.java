// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking.Way;
import dev.ferry.vfio.backend.internal.fake.Request;
import dev.ferry.vfio.backend.internal.fake.Vmm;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What iommufd tells of a page table that was lent. */
class IommufdTrackingTest extends SharedLogsFixture {
    private static final String ADDRESS = "0000:3b:00.2";

    private void lend() throws Exception {
        host.pci(ADDRESS, "mlx5_vfio_pci", "12").logRanges = -1;
        device = Vmm.lend(host, ADDRESS, Way.IOMMUFD);
        opened.add(device);
    }

    private DirtyTracker lent() throws Exception {
        lend();
        return tracker(device.space(), Way.IOMMUFD);
    }

    /**
     * The kernel says success, and nothing of what lies behind a hole, or of a record that somebody else has ended. It
     * is asked once and believed: that the lender keeps ranges mapped and the record going is a part of the bargain.
     */
    @Test
    void shouldBelieveTheKernelWhichTellsNothingBehindAHole() throws Exception {
        DirtyTracker iommufd = lent();
        host.mapPages(0, 64);
        host.mapPages(65 * PAGE, 63);
        iommufd.start(PAGE, List.of(RANGE));
        host.dirty.addAll(List.of(3L, 100L));
        host.kernel.fail(-1, 0, 0);

        assertThat(report(iommufd, RANGE)).containsExactly(1 << 3, 0);

        assertThat(host.kernel.made()).isEqualTo(1);
        new IommufdTracking(device.device(), (IommufdSpace) device.space().orElseThrow(), 7).end();
        host.dirty.add(5L);
        assertThat(report(iommufd, RANGE)).containsExactly(0, 0);
        iommufd.stop();
    }

    /** The kernel marks the whole page of the IOMMU, in which the range ends. */
    @ParameterizedTest
    @CsvSource({"1, 1", "100, 0xFFFFFFFFF"})
    void shouldTellNothingBehindTheRange(int pages, String lastWord) throws Exception {
        DirtyTracker iommufd = lent();
        host.iommuPage = 2 << 20;
        host.mapPages(0, 128);
        iommufd.start(PAGE, List.of(RANGE));
        host.dirty.add(0L);

        assertThat(iommufd.capabilities().exact()).isFalse();
        long[] words = report(iommufd, new IovaRange(0, pages * PAGE));

        assertThat(words[words.length - 1]).isEqualTo(Long.decode(lastWord));
        iommufd.stop();
    }

    @Test
    void shouldTakeAnErrorForALostRecord() throws Exception {
        DirtyTracker iommufd = lent();
        host.mapPages(0, 64);
        IovaRange range = new IovaRange(0, 64 * PAGE);
        iommufd.start(PAGE, List.of(range));
        host.kernel.refuse(Request.GET_DIRTY_BITMAP, 12);

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> report(iommufd, range))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EOVERFLOW));

        host.kernel.refuse(Request.GET_DIRTY_BITMAP, 0);
        iommufd.stop();
    }

    @ParameterizedTest
    @CsvSource({"2, (ENOENT); the iommufd has no page table 7",
        "95, (EOPNOTSUPP); page table 7 was not made with IOMMU_HWPT_ALLOC_DIRTY_TRACKING", "22, (EINVAL)"})
    void shouldNotTakeAPageTableThatCannotTell(int errno, String told) throws Exception {
        lend();
        host.kernel.refuse(Request.GET_DIRTY_BITMAP, errno);

        DirtyTracking.Choice choice = tracking.choose(device.device(), device.space(), 4096, List.of(Way.IOMMUFD));

        assertThat(choice.tracker()).isEmpty();
        assertThat(choice.reason()).contains("iommufd: it is offered, but 0000:3b:00.2: "
                + "IOMMU_HWPT_GET_DIRTY_BITMAP failed " + told);
    }

    @Test
    void shouldClearNoMarkBeforeItIsToRecord() throws Exception {
        host.pci(ADDRESS, "mlx5_vfio_pci", "12").logRanges = -1;
        host.mapPages(0, 1);
        device = Vmm.lend(host, ADDRESS, Way.IOMMUFD);
        opened.add(device);
        IommufdTracking ofLender =
                new IommufdTracking(device.device(), (IommufdSpace) device.space().orElseThrow(), 7);
        ofLender.begin(PAGE, List.of(RANGE));
        host.dirty.add(0L);

        tracker(device.space(), Way.IOMMUFD);

        assertThat(host.trackingIsOn()).isTrue();
        assertThat(host.dirty).containsExactly(0L);
        ofLender.end();
    }
}
