// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.itest.harness.Adapters;
import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.FerryBundle;
import dev.ferry.itest.harness.FerryIT;
import dev.ferry.itest.harness.Unhurried;
import dev.ferry.legacy.LegacyIo;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import java.util.Map;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.Test;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.framework.InvalidSyntaxException;

/** Old guests get their I/O BAR for as long as owner and driver are there, and move with their device. */
@ExamReactorStrategy(PerClass.class)
public class LegacyIoIT extends FerryIT {
    private static final int COMMAND = 0x04;
    private static final int DEVICE_STATUS = 18;
    private static final int DRIVER_FEATURES = 4;
    private static final int QUEUE_ADDRESS = 8;
    private static final int QUEUE_SELECT = 14;

    private Set<Object> offered() throws InvalidSyntaxException {
        return context.getServiceReferences(LegacyIo.class, null).stream()
                .map(reference -> reference.getProperty("ferry.device.id"))
                .collect(Collectors.toSet());
    }

    private void awaitOffered(Object... devices) throws Exception {
        Await.until(context, "legacy I/O", () -> offered().equals(Set.of(devices)), () -> {
            try {
                return offered();
            } catch (InvalidSyntaxException e) {
                throw new IllegalStateException(e);
            }
        });
    }

    private LegacyIo service(String device) throws Exception {
        return Await.service(context, LegacyIo.class, "(ferry.device.id=" + device + ")");
    }

    @Test
    public void shouldFollowMembersAndConfigurationOfOwners() throws Exception {
        var host1 = adapters.create("host1", "pf0", 2);
        adapters.create(Map.of("host", "host2", "name", "pf0", "members", 1, "legacy", false));
        awaitOffered("host1/pf0/vf1", "host1/pf0/vf2");
        Adapters.change(host1, "members", 3);
        awaitOffered("host1/pf0/vf1", "host1/pf0/vf2", "host1/pf0/vf3");
        Adapters.change(host1, "members", 1);
        awaitOffered("host1/pf0/vf1");
        adapters.delete(host1);
        awaitOffered();
    }

    @Test
    public void shouldComeAndGoWithTheBundlesAndLeaveMigrationAlone() throws Exception {
        adapters.twoHosts(1);
        awaitOffered("host1/pf0/vf1", "host2/pf0/vf1");
        Bundle legacy = bundles.get(FerryBundle.VIRTIO_LEGACY_IO);
        Bundle provider = bundles.get(FerryBundle.VIRTIO_NET_PROVIDER);

        provider.stop();
        assertThat(offered()).isEmpty();
        provider.start();
        awaitOffered("host1/pf0/vf1", "host2/pf0/vf1");

        legacy.stop();
        assertThat(offered()).isEmpty();
        migrate();
        legacy.start();
        awaitOffered("host1/pf0/vf1", "host2/pf0/vf1");
    }

    private void migrate() throws Exception {
        Await.until(context, "devices", () -> migrations.devices().size() == 2, migrations::devices);
        MigrationReport report = Await.result(migrations
                .start(Unhurried.move("host1/pf0/vf1", "host2/pf0/vf1"), MigrationListener.NONE)
                .result());
        assertThat(report.result()).as("%s", report.failure()).isEqualTo(MigrationReport.Result.COMPLETED);
    }

    @Test
    public void shouldCarryWhatALegacyDriverHasSetUp() throws Exception {
        adapters.twoHosts(1);
        LegacyIo source = service("host1/pf0/vf1");
        LegacyIo destination = service("host2/pf0/vf1");
        assertThat(source.readConfig(0, 4)).isEqualTo(0x1000_1AF4L);
        source.writeConfig(COMMAND, 2, 7);
        source.writeBar0(DEVICE_STATUS, 1, 3);
        source.writeBar0(DRIVER_FEATURES, 4, 0x1_0020);
        source.writeBar0(QUEUE_SELECT, 2, 1);
        source.writeBar0(QUEUE_ADDRESS, 4, 0x1234);
        source.writeBar0(DEVICE_STATUS, 1, 7);
        source.writeBar0(20, 1, 0x0A);

        migrate();

        destination.writeConfig(COMMAND, 2, 7);
        assertThat(destination.readBar0(DEVICE_STATUS, 1)).isEqualTo(7);
        assertThat(destination.readBar0(DRIVER_FEATURES, 4)).isEqualTo(0x1_0020);
        assertThat(destination.readBar0(QUEUE_SELECT, 2)).isEqualTo(1);
        assertThat(destination.readBar0(QUEUE_ADDRESS, 4)).isEqualTo(0x1234);
        assertThat(destination.readBar0(20, 1)).as("the address that the guest wrote").isEqualTo(0x0A);
    }
}
