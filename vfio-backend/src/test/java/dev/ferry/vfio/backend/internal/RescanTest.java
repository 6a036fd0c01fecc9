// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.stream.Stream;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** Devices come and go while nobody changes the configuration. */
class RescanTest extends BackendFixture {
    private static final String LATE = "0000:3b:00.3";

    @AfterEach
    void shouldLeaveNothing() {
        backend.deactivate();
        assertThat(registered).isEmpty();
        assertThat(host.kernel.openFiles()).isZero();
    }

    @Test
    void shouldFindDevicesThatComeAndLeaveThoseThatGo() throws Exception {
        configure(Map.of("devices", new String[] {VF, LATE}, "rescan_seconds", "1"));
        assertThat(property(LATE, "ferry.not.migratable")).asString().startsWith("there is no PCI function");

        host.pci(LATE, "virtio_vfio_pci", "14");
        await("-host9/" + LATE);
        await("+host9/" + LATE);
        assertThat(property(LATE, "ferry.vfio.access")).asString().startsWith("group 14");

        remove(folder.resolve("sys/bus/pci/devices").resolve(VF));
        await("-host9/" + VF);
    }

    @Test
    void shouldOpenADeviceAsSoonAsItCanBeOpened() throws Exception {
        host.refuse("vfio/13", 16);
        configure(Map.of("devices", new String[] {MDEV}, "rescan_seconds", "1"));
        assertThat(property(MDEV, "ferry.not.migratable")).asString().contains("another process has it");

        host.allow("13");

        await("+host9/" + MDEV);
        assertThat(property(MDEV, "ferry.vfio.access")).asString().startsWith("group 13");
    }

    private static void remove(Path sysfs) throws Exception {
        try (Stream<Path> files = Files.list(sysfs)) {
            for (Path file : files.toList()) {
                Files.delete(file);
            }
        }
        Files.delete(sysfs);
    }
}
