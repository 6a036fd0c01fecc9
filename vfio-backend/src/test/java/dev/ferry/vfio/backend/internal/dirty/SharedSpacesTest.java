// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.vfio.backend.internal.access.ContainerSpace;
import dev.ferry.vfio.backend.internal.access.IommuSpace;
import dev.ferry.vfio.backend.internal.access.IommufdSpace;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking.Way;
import dev.ferry.vfio.backend.internal.fake.Request;
import dev.ferry.vfio.backend.internal.sys.Descriptor;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

/** Which containers and page tables are one, so that devices record in them together. */
class SharedSpacesTest extends SharedLogsFixture {
    /** A page table of an open iommufd which came by two numbers, as handed over with each device. */
    private DirtyTracker ofPageTable(int fd, int table) throws DeviceException {
        return chooseOfPageTable(fd, table).tracker().orElseThrow();
    }

    private DirtyTracking.Choice chooseOfPageTable(int fd, int table) throws DeviceException {
        Descriptor iommufd = new Descriptor(host.kernel, fd);
        opened.add(iommufd);
        return tracking.choose(device.device(),
                Optional.of(IommufdSpace.ofPageTable(host.kernel, iommufd, "dev0", table)), 4096, List.of(Way.IOMMUFD));
    }

    @Test
    void shouldKnowAnOpenFileThatCameByAnotherNumber() throws Exception {
        ofGroup("0000:3b:00.2");
        host.cdev("0000:3b:00.2", "pci", "vfio0");
        int fd = host.kernel.install(host.iommufdOfVmm());
        DirtyTracker first = ofPageTable(fd, 7);
        DirtyTracker second = ofPageTable(host.kernel.dup(fd), 7);
        first.start(PAGE, List.of(RANGE));
        second.start(PAGE, List.of(RANGE));
        first.stop();
        assertThat(host.tracking).containsExactly("start");
        second.stop();
        assertThat(host.tracking).containsExactly("start", "stop");
    }

    @Test
    void shouldKeepSpacesApartThatAreNotOne() throws Exception {
        ofGroup("0000:3b:00.2");
        host.cdev("0000:3b:00.2", "pci", "vfio0");
        DirtyTracker first = ofPageTable(host.kernel.install(host.iommufdOfVmm()), 7);
        DirtyTracker second = ofPageTable(host.kernel.install(host.iommufdOfVmm()), 7);
        first.start(PAGE, List.of(RANGE));
        second.start(PAGE, List.of(RANGE));
        first.stop();
        assertThat(host.tracking).containsExactly("start", "start", "stop");
        second.stop();
    }

    /** To enable anew is to clear what was marked for another. */
    @Test
    void shouldNotRecordWhereItCannotBeToldWhetherAnotherDoes() throws Exception {
        ofGroup("0000:3b:00.2");
        host.cdev("0000:3b:00.2", "pci", "vfio0");
        host.mapPages(0, 128);
        int fd = host.kernel.install(host.iommufdOfVmm(2));
        DirtyTracker first = ofPageTable(fd, 7);
        first.start(PAGE, List.of(RANGE));
        host.dirty.add(5L);
        for (int errno : List.of(1, 38)) { // EPERM, ENOSYS
            host.kernel.refuse(Request.KCMP, errno);

            DirtyTracking.Choice second = chooseOfPageTable(host.kernel.dup(fd), 7);

            assertThat(second.tracker()).isEmpty();
            assertThat(second.reason()).contains("iommufd: it is offered, but whether another device records in the "
                    + "same place cannot be told: kcmp(2) is forbidden to this process, or unknown to the kernel");
            assertThat(report(first, RANGE)).containsExactly(1 << 5, 0);
            host.dirty.add(5L);
        }
        assertThat(chooseOfPageTable(host.kernel.dup(fd), 8).tracker()).as("another page table").isPresent();
        assertThat(tracking.choose(device.device(), device.space(), 4096, List.of(Way.CONTAINER)).tracker())
                .as("its own descriptor").isPresent();
        first.stop();
    }

    @Test
    void shouldForgetSpacesThatAreClosed() throws Exception {
        ofGroup("0000:3b:00.2");
        host.cdev("0000:3b:00.2", "pci", "vfio0");
        int fd = host.kernel.install(host.iommufdOfVmm());
        host.kernel.refuse(Request.KCMP, 1);
        Descriptor iommufd = new Descriptor(host.kernel, host.kernel.dup(fd));
        tracker(Optional.of(IommufdSpace.ofPageTable(host.kernel, iommufd, "dev0", 7)), Way.IOMMUFD);
        iommufd.close();

        assertThat(chooseOfPageTable(fd, 7).tracker()).isPresent();
    }

    /** Who lends a space may record in it now. */
    @Test
    void shouldLeaveALentSpaceAsItIsUntilItIsToRecord() throws Exception {
        ofGroup("0000:3b:00.2");
        host.cdev("0000:3b:00.2", "pci", "vfio0");
        host.dirty.add(5L);

        assertThat(chooseOfPageTable(host.kernel.install(host.iommufdOfVmm()), 7).tracker()).isPresent();
        Descriptor container = new Descriptor(host.kernel, host.kernel.install(host.containerOfVmm()));
        opened.add(container);
        Optional<IommuSpace> space = Optional.of(ContainerSpace.lent(host.kernel, container, "dev0"));
        assertThat(tracking.choose(device.device(), space, 4096, List.of(Way.CONTAINER)).tracker()).isPresent();

        assertThat(host.tracking).isEmpty();
        assertThat(host.dirty).containsExactly(5L);
    }
}
