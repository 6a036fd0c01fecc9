// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.MigrationDriver;
import dev.ferry.itest.harness.Adapters;
import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.FerryIT;
import dev.ferry.migration.DeviceDescription;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import org.junit.Before;
import org.junit.Test;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.Configuration;

/** Adapters are created, changed and deleted by Configuration Admin while everything runs. */
@ExamReactorStrategy(PerClass.class)
public class ConfigurationIT extends FerryIT {
    private static final int MANY = 1000;

    @Before
    public void awaitNoDevices() throws Exception {
        awaitExactly();
    }

    @Test
    public void shouldCreateAndDeleteDevicesWithTheirAdapter() throws Exception {
        Configuration adapter = adapters.create("hostA", "pf0", 2);
        awaitExactly("hostA/pf0/vf1", "hostA/pf0/vf2");

        DeviceDescription device = migrations.device("hostA/pf0/vf2").orElseThrow();
        assertThat(device.host()).isEqualTo("hostA");
        assertThat(device.owner()).contains("hostA/pf0");
        assertThat(device.member()).hasValue(2);

        adapters.delete(adapter);
        awaitExactly();
    }

    @Test
    public void shouldLeaveOtherMembersAloneWhenMembersGrowAndShrink() throws Exception {
        Configuration adapter = adapters.create("hostA", "pf0", 1);
        awaitExactly("hostA/pf0/vf1");
        List<ServiceReference<MigrationDriver>> first = drivers("hostA/pf0/vf1");

        Adapters.change(adapter, "members", 3);
        awaitExactly("hostA/pf0/vf1", "hostA/pf0/vf2", "hostA/pf0/vf3");
        Adapters.change(adapter, "members", 2);
        awaitExactly("hostA/pf0/vf1", "hostA/pf0/vf2");

        assertThat(drivers("hostA/pf0/vf1")).isEqualTo(first);
    }

    @Test
    public void shouldMakeNewAdapterWhenHostChanges() throws Exception {
        Configuration adapter = adapters.create("hostA", "pf0", 1);
        awaitExactly("hostA/pf0/vf1");

        Adapters.change(adapter, "host", "hostB");

        awaitExactly("hostB/pf0/vf1");
    }

    @Test
    public void shouldKeepAdapterAndLogOneErrorWhenConfigurationBecomesInvalid() throws Exception {
        Configuration adapter = adapters.create("hostA", "pf0", 1);
        awaitExactly("hostA/pf0/vf1");
        List<ServiceReference<MigrationDriver>> before = drivers("hostA/pf0/vf1");

        Adapters.change(adapter, "queue.size", 3);
        Await.until(context, "an error in the log", () -> !errors(adapter).isEmpty());
        Adapters.change(adapter, "queue.size", 64);
        awaitNewDriver("hostA/pf0/vf1", before);

        assertThat(errors(adapter)).hasSize(1).allMatch(line -> line.contains("queue.size"));
    }

    @Test
    public void shouldCreateNothingAndServeOthersWhenConfigurationIsInvalidFromTheStart() throws Exception {
        Configuration bad = adapters.create(Map.of("host", "hostA", "name", "pf0", "members", "many"));
        adapters.create("hostB", "pf0", 1);
        awaitExactly("hostB/pf0/vf1");
        Await.until(context, "an error in the log", () -> !errors(bad).isEmpty());

        Adapters.change(bad, "members", 1);

        awaitExactly("hostA/pf0/vf1", "hostB/pf0/vf1");
        assertThat(errors(bad)).hasSize(1);
    }

    @Test
    public void shouldRefuseSecondAdapterWithSameIdUntilFirstIsDeleted() throws Exception {
        Configuration first = adapters.create("hostA", "pf0", 1);
        awaitExactly("hostA/pf0/vf1");
        Configuration second = adapters.create("hostA", "pf0", 2);
        Await.until(context, "an error in the log", () -> !errors(second).isEmpty());
        awaitExactly("hostA/pf0/vf1");

        adapters.delete(first);
        Adapters.change(second, "members", 3);

        awaitExactly("hostA/pf0/vf1", "hostA/pf0/vf2", "hostA/pf0/vf3");
    }

    @Test
    public void shouldCarryThousandDevices() throws Exception {
        Configuration adapter = adapters.create("hostA", "pf0", MANY);
        Await.until(context, MANY + " devices", () -> migrations.devices().size() == MANY);

        adapters.delete(adapter);
        awaitExactly();
    }

    private void awaitExactly(String... ids) throws Exception {
        Await.until(
                context,
                "the devices " + List.of(ids),
                () -> migrations.devices().stream()
                        .map(DeviceDescription::id)
                        .toList()
                        .equals(List.of(ids)),
                migrations::devices);
    }

    private List<ServiceReference<MigrationDriver>> drivers(String device) throws InvalidSyntaxException {
        Collection<ServiceReference<MigrationDriver>> found = context.getServiceReferences(
                MigrationDriver.class, "(" + MigrationDriver.DEVICE_ID + "=" + device + ")");
        return List.copyOf(found);
    }

    private void awaitNewDriver(String device, List<ServiceReference<MigrationDriver>> before) throws Exception {
        Await.until(
                context,
                "another driver of " + device,
                () -> drivers(device).size() == 1 && !drivers(device).equals(before));
    }

    private static List<String> errors(Configuration adapter) throws IOException {
        try (var lines = Files.lines(Path.of(System.getProperty("ferry.itest.log")))) {
            return lines.filter(line -> line.contains("ERROR") && line.contains(adapter.getPid()))
                    .toList();
        }
    }
}
