// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.MigrationDriver;
import dev.ferry.migration.DeviceDescription;
import dev.ferry.virtio.AdminQueue;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

class DevicesCommandTest {

    private static final AdminQueue SILENT = (readable, writable) -> new CompletableFuture<>();

    private static final DeviceDetails DETAILS = new DeviceDetails(List.of(
            Map.of(MigrationDriver.DEVICE_ID, "host1/pf0/vf1", MigrationDriver.BACKEND, "virtio",
                    MigrationDriver.HOST, "host1", "ferry.vfio.access", "another backend's"),
            Map.of(MigrationDriver.DEVICE_ID, "mdev0", MigrationDriver.BACKEND, "vfio",
                    "service.id", 7L, "ferry.vfio.driver", "vfio_mtty", "ferry.vfio.configured", true,
                    "ferry.vfio.access", "group 12 and container (as configured)")));

    private final CommandFixture shell = new CommandFixture();

    private int devices(String... arguments) {
        List<OwnerDevice> owners = OwnerDevice.of(List.of(
                Map.entry(properties("host2/pf0", "host2", 0), SILENT),
                Map.entry(properties("host1/pf0", "host1", 4), SILENT)));
        return shell.run(new DevicesCommand(FakeMigrations::new, () -> owners, DETAILS), arguments);
    }

    private static Map<String, Object> properties(String id, String host, int members) {
        return Map.of(AdminQueue.OWNER_ID, id, AdminQueue.HOST, host, AdminQueue.MEMBERS, members);
    }

    @Test
    void shouldPrintTwoTablesWhenThereAreDevices() {
        assertThat(devices()).isZero();
        assertThat(shell.out()).isEqualTo("""
                DEVICE         TYPE        HOST   OWNER      MEMBER  BACKEND  STATE    FEATURES
                host1/pf0/vf1  virtio-net  host1  host1/pf0  1       virtio   RUNNING  STOP_COPY,P2P
                mdev0          mtty        host1  -          -       vfio     unknown  STOP_COPY

                OWNER DEVICE  HOST   MEMBERS
                host1/pf0     host1  4
                host2/pf0     host2  0
                """);
    }

    @Test
    void shouldPrintNullForWhatADeviceLacksWhenJsonIsAskedFor() {
        assertThat(devices("--json")).isZero();
        assertThat(shell.out()).isEqualTo("""
                {
                  "devices": [
                    {
                      "id": "host1/pf0/vf1",
                      "type": "virtio-net",
                      "host": "host1",
                      "owner": "host1/pf0",
                      "member": 1,
                      "backend": "virtio",
                      "state": "RUNNING",
                      "features": [
                        "STOP_COPY",
                        "P2P"
                      ],
                      "notMigratable": null,
                      "details": {}
                    },
                    {
                      "id": "mdev0",
                      "type": "mtty",
                      "host": "host1",
                      "owner": null,
                      "member": null,
                      "backend": "vfio",
                      "state": null,
                      "features": [
                        "STOP_COPY"
                      ],
                      "notMigratable": null,
                      "details": {
                        "access": "group 12 and container (as configured)",
                        "configured": "true",
                        "driver": "vfio_mtty"
                      }
                    }
                  ],
                  "owners": [
                    {
                      "id": "host1/pf0",
                      "host": "host1",
                      "members": 4
                    },
                    {
                      "id": "host2/pf0",
                      "host": "host2",
                      "members": 0
                    }
                  ]
                }
                """);
    }

    @Test
    void shouldSayWhyADeviceCannotBeMigrated() {
        FakeMigrations migrations = new FakeMigrations();
        for (int member = 1; member <= 3; member++) {
            migrations.more.add(new DeviceDescription(
                    "host3/pf0/vf" + member,
                    "virtio-net",
                    "host3",
                    Optional.of("host3/pf0"),
                    OptionalInt.of(member),
                    "virtio",
                    Optional.empty(),
                    Set.of(),
                    Optional.of("host3/pf0 allows no device parts objects")));
        }

        assertThat(shell.run(new DevicesCommand(() -> migrations, List::of, DETAILS))).isZero();

        assertThat(shell.out())
                .contains("host3/pf0/vf1  virtio-net  host3  host3/pf0  1       virtio   unknown  -\n")
                .endsWith("\nnot migratable: host3/pf0/vf1 and 2 more: host3/pf0 allows no device parts objects\n");
        assertThat(shell.run(new DevicesCommand(() -> migrations, List::of, DETAILS), "--json")).isZero();
        assertThat(shell.out()).contains("\"notMigratable\": \"host3/pf0 allows no device parts objects\"");
    }
}
