// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.DeviceState;
import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.FerryIT;
import dev.ferry.itest.harness.Objects;
import dev.ferry.itest.harness.Unhurried;
import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Finding;
import dev.ferry.migration.Finding.Code;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.virtio.AdminQueue;
import java.util.HashMap;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import org.junit.After;
import org.junit.Test;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.ServiceRegistration;

/** Unequal adapters: what is found before the source is disturbed. */
@ExamReactorStrategy(PerClass.class)
public class CheckIT extends FerryIT {
    @After
    public void awaitNoDevices() throws Exception {
        adapters.close();
        Await.until(context, "no devices", () -> migrations.devices().isEmpty());
    }

    private List<Finding> findings(Map<String, Object> source, Map<String, Object> destination) throws Exception {
        create("host1", source);
        create("host2", destination);
        awaitDevices(SOURCE, DESTINATION);
        List<Finding> findings = migrations.check(MigrationRequest.of(SOURCE, DESTINATION));
        for (String owner : List.of("host1/pf0", "host2/pf0")) {
            AdminQueue queue = Await.service(context, AdminQueue.class, "(ferry.owner.id=" + owner + ")");
            assertThat(new Objects(queue).inUse(255)).as(owner).isEmpty();
        }
        return findings;
    }

    private void create(String host, Map<String, Object> more) throws Exception {
        Map<String, Object> properties = new HashMap<>(Map.of("host", host, "name", "pf0", "members", 1));
        properties.putAll(more);
        adapters.create(properties);
    }

    private void assertMigrationIsRefusedUndisturbed(Code... codes) throws Exception {
        MigrationReport report = Await.result(migrations
                .start(Unhurried.move(SOURCE, DESTINATION), MigrationListener.NONE)
                .result());
        assertThat(report.failure().orElseThrow().code()).isEqualTo(FailureCode.CHECK_FAILED);
        if (codes.length > 1) {
            for (Code code : codes) {
                assertThat(report.failure().orElseThrow().message()).contains(code + ": ");
            }
        }
        assertThat(migrations.device(SOURCE).orElseThrow().state()).contains(DeviceState.RUNNING);
    }

    @Test
    public void shouldFindNothingWhenAdaptersAreEqual() throws Exception {
        assertThat(findings(Map.of(), Map.of())).isEmpty();
    }

    @Test
    public void shouldFindNothingWhenTheDestinationHasLargerQueues() throws Exception {
        assertThat(findings(Map.of("queueSize", 128), Map.of("queueSize", 256))).isEmpty();
    }

    @Test
    public void shouldFindEverythingThatMoreQueuePairsBringWhenTheDestinationHasFewer() throws Exception {
        assertThat(findings(Map.of("queuePairs", 4), Map.of()))
                .extracting(Finding::code)
                .containsExactly(Code.FEATURES_MISMATCH, Code.PARTS_MISMATCH, Code.QUEUES_MISMATCH);
        assertMigrationIsRefusedUndisturbed(Code.FEATURES_MISMATCH, Code.PARTS_MISMATCH, Code.QUEUES_MISMATCH);
    }

    @Test
    public void shouldFindSmallerQueues() throws Exception {
        assertThat(findings(Map.of("queueSize", 256), Map.of("queueSize", 64)))
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.code()).isEqualTo(Code.QUEUES_MISMATCH);
                    assertThat(finding.message()).contains("256 of queue 0 where 64 is the most");
                });
        assertMigrationIsRefusedUndisturbed(Code.QUEUES_MISMATCH);
    }

    @Test
    public void shouldFindFeaturesThatOneEndLacks() throws Exception {
        assertThat(findings(Map.of("featuresOff", new String[] {"EVENT_IDX"}),
                        Map.of("featuresOff", new String[] {"NET_CTRL_VLAN"})))
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.code()).isEqualTo(Code.FEATURES_MISMATCH);
                    assertThat(finding.message()).contains("it lacks NET_CTRL_VLAN, and has besides EVENT_IDX");
                });
        assertMigrationIsRefusedUndisturbed(Code.FEATURES_MISMATCH);
    }

    @Test
    public void shouldFindEndsOfOneOwnerThatAllowsOneSession() throws Exception {
        adapters.create(Map.of("host", "host1", "name", "pf0", "members", 2, "objectLimit", 1));
        Await.until(context, "both devices", () -> migrations.devices().size() == 2);

        assertThat(migrations.check(MigrationRequest.of("host1/pf0/vf1", "host1/pf0/vf2")))
                .extracting(Finding::code)
                .containsExactly(Code.TOO_FEW_SESSIONS);
    }

    @Test
    public void shouldListMembersOfAnOwnerThatCannotBeUsedWithTheReason() throws Exception {
        create("host1", Map.of());
        AdminQueue broken = (readable, writable) -> CompletableFuture.failedFuture(
                new DeviceException(Errno.EIO, "the admin queue is not negotiated"));
        ServiceRegistration<AdminQueue> registration = context.registerService(
                AdminQueue.class,
                broken,
                new Hashtable<>(Map.of(
                        AdminQueue.OWNER_ID, "host2/pf0",
                        AdminQueue.HOST, "host2",
                        AdminQueue.MEMBERS, 2,
                        AdminQueue.MEMBER_TYPE, "virtio-net")));
        try {
            Await.until(context, "all devices", () -> migrations.devices().size() == 3);

            DeviceDescription device = migrations.device(DESTINATION).orElseThrow();
            assertThat(device.notMigratable().orElseThrow()).contains("the admin queue is not negotiated");
            assertThat(device.features()).isEmpty();
            assertThat(migrations.check(MigrationRequest.of(SOURCE, DESTINATION)))
                    .singleElement()
                    .satisfies(finding -> {
                        assertThat(finding.code()).isEqualTo(Code.NOT_MIGRATABLE);
                        assertThat(finding.message()).contains("the admin queue is not negotiated");
                    });
            assertMigrationIsRefusedUndisturbed(Code.NOT_MIGRATABLE);
        } finally {
            registration.unregister();
        }
    }
}
