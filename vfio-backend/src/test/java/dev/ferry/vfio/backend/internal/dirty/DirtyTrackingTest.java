// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking.Way;
import dev.ferry.vfio.backend.internal.fake.Request;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Which way to record dirty pages is taken, and why. */
class DirtyTrackingTest extends TrackingFixture {

    /** For a device that is opened here. */
    private DirtyTracking.Choice chooseOpened(DeviceOpener.Way way, Way... allowed) throws Exception {
        open = new DeviceOpener(host.kernel, host.root).open(host.found(ADDRESS), "dev0", way);
        return tracking.choose(open.device(), open.space(), 4096, List.of(allowed));
    }

    @Test
    void shouldTakeTheDevicesOwnLogFirst() throws Exception {
        DirtyTracking.Choice choice = chooseOpened(DeviceOpener.Way.GROUP, Way.values());

        assertThat(choice.reason()).isEqualTo("device DMA logging");
        assertThat(choice.tracker().orElseThrow().capabilities().exact()).isTrue();
        assertThat(fake.logging).as("left off behind the trial").isFalse();
    }

    @Test
    void shouldSayWhyItTookTheContainer() throws Exception {
        fake.logRanges = -1;

        assertThat(choose(Way.CONTAINER, Way.values()).reason()).isEqualTo("container dirty pages "
                + "(device DMA logging: the device offers none; iommufd: the device has no iommufd but a container)");
    }

    @Test
    void shouldNotTakeALogThatCannotReport() throws Exception {
        host.kernel.refuse(Request.LOGGING_REPORT, 95);

        assertThat(chooseOpened(DeviceOpener.Way.GROUP, Way.values()).reason()).startsWith("container dirty pages "
                + "(device DMA logging: it is offered, but dev0: "
                + "VFIO_DEVICE_FEATURE GET DMA_LOGGING_REPORT failed (EOPNOTSUPP);");
        assertThat(fake.logging).isFalse();
    }

    /** ENOTTY and EINVAL say that there is none; any other error says nothing, and may be gone the next time. */
    @ParameterizedTest
    @CsvSource({"0, SET DMA_LOGGING_START", "1, SET DMA_LOGGING_STOP", "2, GET DMA_LOGGING_REPORT"})
    void shouldNotTakeAnErrorForNoLog(int probe, String name) throws Exception {
        for (int errno : List.of(5, 12, 19)) {
            host.kernel.fail(probe, errno, 0);
            KernelException e = assertThatExceptionOfType(KernelException.class)
                    .isThrownBy(() -> choose(Way.CONTAINER, Way.values()))
                    .actual();
            assertThat(e.call()).isEqualTo("VFIO_DEVICE_FEATURE PROBE " + name);
            assertThat(e.number()).isEqualTo(errno);
            open.close();
        }
        for (int errno : List.of(22, 25)) {
            host.kernel.fail(probe, errno, 0);
            assertThat(choose(Way.CONTAINER, Way.values()).reason())
                    .contains("device DMA logging: the device offers none");
            open.close();
        }
    }

    @Test
    void shouldTakeIommufdWhereAPageTableWasLent() throws Exception {
        fake.logRanges = -1;

        assertThat(choose(Way.IOMMUFD, Way.values()).reason())
                .isEqualTo("iommufd (device DMA logging: the device offers none)");
    }

    @Test
    void shouldTrackADeviceThatIsOpenedHereInTheBestWayThereIs() throws Exception {
        host.cdev(ADDRESS, "pci", "vfio0");
        assertThat(chooseOpened(DeviceOpener.Way.CDEV, Way.values()).reason()).isEqualTo("device DMA logging");
        open.close();
        fake.logRanges = -1;
        assertThat(chooseOpened(DeviceOpener.Way.GROUP, Way.values()).reason()).isEqualTo("container dirty pages "
                + "(device DMA logging: the device offers none; iommufd: the device has no iommufd but a container)");
        open.close();

        DirtyTracking.Choice none = chooseOpened(DeviceOpener.Way.CDEV, Way.values());

        assertThat(none.tracker()).isEmpty();
        assertThat(none.reason()).isEqualTo("no dirty tracking (device DMA logging: the device offers none; "
                + "iommufd: the IOMMU, or the kernel (before 6.7), marks no written pages "
                + "(IOMMU_HWPT_ALLOC: EOPNOTSUPP); "
                + "container dirty pages: the device has no container but an iommufd)");
        open.close();
        host.iommuMarksPages = true;
        assertThat(chooseOpened(DeviceOpener.Way.CDEV, Way.values()).reason())
                .isEqualTo("iommufd (device DMA logging: the device offers none)");
        assertThat(host.tracking).isEmpty();
    }

    @Test
    void shouldSayWhatWasNotLent() throws Exception {
        fake.logRanges = -1;

        assertThat(choose(Way.DEVICE, Way.values()).reason()).isEqualTo("no dirty tracking (device DMA logging: "
                + "the device offers none; iommufd: no iommufd was lent with the device; "
                + "container dirty pages: no container was lent with the device)");
    }

    @Test
    void shouldTakeTheFirstThatWorksInTheOrderThatIsConfigured() throws Exception {
        assertThat(choose(Way.CONTAINER, Way.CONTAINER, Way.DEVICE).reason()).isEqualTo("container dirty pages "
                + "(device DMA logging: configured after it; iommufd: not allowed)");
        assertThat(fake.logging).isFalse();
        open.close();
        host.migrationCapability = false;
        assertThat(choose(Way.CONTAINER, Way.CONTAINER, Way.DEVICE).reason()).isEqualTo("device DMA logging "
                + "(container dirty pages: the container has no migration capability)");
    }

    @Test
    void shouldSayWhatIsNotAllowed() throws Exception {
        assertThat(choose(Way.CONTAINER).reason()).isEqualTo("no dirty tracking (device DMA logging: not allowed; "
                + "iommufd: not allowed; container dirty pages: not allowed)");
    }

    @Test
    void shouldNotTakeAContainerWithoutTheCapability() throws Exception {
        host.migrationCapability = false;

        assertThat(choose(Way.CONTAINER, Way.CONTAINER).tracker()).isEmpty();
    }

    /** The kernel refuses a second start; ending the log for that would end what the VMM records. */
    @Test
    void shouldLeaveTheLogToTheLenderWhoLogsAlready() throws Exception {
        fake.logging = true;

        assertThat(choose(Way.CONTAINER, Way.values()).reason())
                .startsWith("container dirty pages (device DMA logging: ");
        assertThat(fake.logging).as("by the VMM").isTrue();
    }
}
