// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking.Way;
import dev.ferry.vfio.backend.internal.fake.Request;
import dev.ferry.vfio.backend.internal.fake.Vmm;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.slf4j.LoggerFactory;

/** What iommufd does not tell of, and why. */
class IommufdTrackingTest extends SharedLogsFixture {
    private static final String ADDRESS = "0000:3b:00.2";

    private DirtyTracker lent() throws Exception {
        host.pci(ADDRESS, "mlx5_vfio_pci", "12").logRanges = -1;
        device = Vmm.lend(host, ADDRESS, Way.IOMMUFD);
        opened.add(device);
        return tracker(device.space(), Way.IOMMUFD);
    }

    private static void assertErrno(Errno errno, ThrowingCallable call) {
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
    }

    /**
     * Pages of a page table: 64 that are mapped, 64 of which one is not, 128 that are mapped; the kernel reads, and
     * clears, up to a hole, and then says EINVAL.
     */
    @ParameterizedTest
    @ValueSource(ints = {64, 100, 127})
    void shouldCountNoMoreThanAHoleAndItsNeighboursForWritten(int hole) throws Exception {
        ListAppender<ILoggingEvent> told = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger(IommufdTracking.class);
        told.start();
        logger.addAppender(told);
        try {
            DirtyTracker iommufd = lent();
            host.mapPages(0, hole);
            host.mapPages((hole + 1) * PAGE, 256 - hole - 1);
            IovaRange range = new IovaRange(0, 256 * PAGE);
            iommufd.start(PAGE, List.of(range));
            host.tracking.clear();
            host.dirty.addAll(List.of(3L, 150L, 255L));

            assertThat(report(iommufd, range)).containsExactly(1 << 3, -1, 1 << 22, 1L << 63);
            assertThat(report(iommufd, range)).containsExactly(0, -1, 0, 0);

            assertThat(host.tracking).as("not begun anew").isEmpty();
            assertThat(told.list).extracting(ILoggingEvent::getFormattedMessage).singleElement().asString()
                    .startsWith("iommufd does not tell what 0000:3b:00.2 wrote at ").contains("is not mapped");
            iommufd.stop();
        } finally {
            logger.detachAppender(told);
        }
    }

    /** The kernel says the same when somebody else has ended the record. */
    @Test
    void shouldTakeAReportThatTellsNothingForALostRecord() throws Exception {
        DirtyTracker iommufd = lent();
        host.mapPages(0, 64);
        IovaRange mapped = new IovaRange(0, 64 * PAGE);
        IovaRange unmapped = new IovaRange(64 * PAGE, 70 * PAGE);
        iommufd.start(PAGE, List.of(mapped, unmapped));

        assertErrno(Errno.EOVERFLOW, () -> report(iommufd, unmapped));
        host.dirty.add(1L);
        assertThat(report(iommufd, mapped)).containsExactly(0b10);
        iommufd.stop();
    }

    @Test
    void shouldTakeAnyOtherErrorOfIommufdForALostRecord() throws Exception {
        DirtyTracker iommufd = lent();
        host.mapPages(0, 64);
        IovaRange range = new IovaRange(0, 64 * PAGE);
        iommufd.start(PAGE, List.of(range));
        host.kernel.refuse(Request.GET_DIRTY_BITMAP, 12);

        assertErrno(Errno.EOVERFLOW, () -> report(iommufd, range));

        host.kernel.refuse(Request.GET_DIRTY_BITMAP, 0);
        iommufd.stop();
    }

    /** As a VMM does whose own migration is aborted. */
    @Test
    void shouldBeginAnewWhenSomebodyElseEndedTheRecord() throws Exception {
        DirtyTracker iommufd = lent();
        host.mapPages(0, 128);
        iommufd.start(PAGE, List.of(RANGE));
        new IommufdTracking(device.device(), (IommufdSpace) device.space().orElseThrow()).end();

        assertErrno(Errno.EOVERFLOW, () -> report(iommufd, RANGE));

        host.dirty.add(5L);
        assertThat(report(iommufd, RANGE)).containsExactly(1 << 5, 0);
        iommufd.stop();
    }

    @Test
    void shouldNotSearchAHugeHoleInSmallSteps() throws Exception {
        DirtyTracker iommufd = lent();
        host.mapPages(0, 64);
        IovaRange range = new IovaRange(0, (PAGE << 20) + 64 * PAGE);
        iommufd.start(PAGE, List.of(range));
        host.kernel.fail(-1, 0, 0);

        assertErrno(Errno.EOVERFLOW, () -> report(iommufd, range));

        assertThat(host.kernel.made()).as("and those that begin anew").isLessThan(4096 + 8);
        iommufd.stop();
    }
}
