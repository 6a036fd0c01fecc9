// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.DeviceDescription;
import java.util.EnumSet;
import java.util.Map;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DriversComeAndGoTest {

    @Test
    void shouldDescribeDevicesById() {
        try (MigrationRig rig = new MigrationRig()) {
            assertThat(rig.service.devices())
                    .extracting(DeviceDescription::id)
                    .containsExactly(MigrationRig.SOURCE, MigrationRig.DESTINATION);
            assertThat(rig.service.device(MigrationRig.SOURCE))
                    .contains(new DeviceDescription(
                            MigrationRig.SOURCE,
                            "scripted",
                            "host1",
                            Optional.of("pf0"),
                            OptionalInt.of(1),
                            "memory",
                            Optional.of(DeviceState.RUNNING),
                            MigrationRig.ALL,
                            Optional.empty()));
            assertThat(rig.service.device("nowhere")).isEmpty();
        }
    }

    @Test
    void shouldDescribeADeviceThatCannotBeAskedForItsState() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.source.onState = () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            };

            assertThat(rig.service.device(MigrationRig.SOURCE).orElseThrow().state()).isEmpty();
        }
    }

    @Test
    void shouldUseTheSecondDriverOfAnIdOnlyWhenTheFirstHasLeft() throws Exception {
        try (MigrationRig rig = new MigrationRig()) {
            ScriptedDriver second = new ScriptedDriver(MigrationRig.SOURCE, MigrationRig.ALL, "text:second");
            rig.add(second, 99);
            rig.service.setState(MigrationRig.SOURCE, DeviceState.STOP);
            assertThat(second.arcs).isEmpty();

            rig.remove(rig.source, MigrationRig.SOURCE_SERVICE);

            assertThat(rig.service.devices()).hasSize(2);
            rig.service.setState(MigrationRig.SOURCE, DeviceState.STOP);
            assertThat(second.state).isEqualTo(DeviceState.STOP);
            rig.remove(second, 99);
            assertThat(rig.service.device(MigrationRig.SOURCE)).isEmpty();
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldPreferADriverThatCanMigrateWhicheverCameFirst(boolean first) {
        try (MigrationRig rig = new MigrationRig()) {
            String id = "host1/vf9";
            ScriptedDriver able = new ScriptedDriver(id, MigrationRig.ALL, "text:able");
            ScriptedDriver unable = new ScriptedDriver(id, EnumSet.noneOf(MigrationFeature.class), "text:unable");
            Map<String, Object> unableProperties = MigrationRig.properties(id, 99);
            unableProperties.put(MigrationDriver.NOT_MIGRATABLE, "LIST_QUERY failed");
            if (first) {
                rig.add(able, 98);
            }
            rig.service.addDriver(unable, unableProperties);
            if (!first) {
                rig.add(able, 98);
            }
            assertThat(rig.service.device(id).orElseThrow().notMigratable()).isEmpty();

            rig.remove(able, 98);
            assertThat(rig.service.device(id).orElseThrow().notMigratable()).contains("LIST_QUERY failed");

            rig.service.removeDriver(unable, unableProperties);
            assertThat(rig.service.device(id)).isEmpty();
        }
    }

    @Test
    void shouldKeepTheFirstDriverWhenTheSecondLeaves() {
        try (MigrationRig rig = new MigrationRig()) {
            ScriptedDriver second = new ScriptedDriver(MigrationRig.SOURCE, MigrationRig.ALL, "text:second");
            rig.add(second, 99);
            rig.remove(second, 99);

            assertThat(rig.migrate().failure()).isEmpty();
            rig.assertDestinationOwns();
        }
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                MigrationDriver.DEVICE_ID,
                MigrationDriver.DEVICE_TYPE,
                MigrationDriver.BACKEND,
                MigrationDriver.HOST
            })
    void shouldLeaveADriverAloneThatLacksAProperty(String missing) {
        try (MigrationRig rig = new MigrationRig()) {
            Map<String, Object> properties = MigrationRig.properties("host9/vf9", 99);
            properties.remove(missing);
            ScriptedDriver driver = new ScriptedDriver("host9/vf9", MigrationRig.ALL, "text:");
            rig.service.addDriver(driver, properties);

            assertThat(rig.service.devices()).hasSize(2);
            rig.service.removeDriver(driver, properties);
        }
    }

    @Test
    void shouldLeaveADriverAloneWhosePropertiesHaveTheWrongType() {
        try (MigrationRig rig = new MigrationRig()) {
            Map<String, Object> properties = MigrationRig.properties("host9/vf9", 99);
            properties.put(MigrationDriver.MEMBER, "one");
            rig.service.addDriver(new ScriptedDriver("host9/vf9", MigrationRig.ALL, "text:"), properties);

            assertThat(rig.service.devices()).hasSize(2);
        }
    }

    @Test
    void shouldNotBeHurtByADriverWhoseFeaturesFail() {
        try (MigrationRig rig = new MigrationRig()) {
            rig.service.addDriver(
                    new ScriptedDriver("host9/vf9", null, "text:"), MigrationRig.properties("host9/vf9", 99));

            assertThat(rig.service.devices()).hasSize(2);
            assertThat(rig.service.check(rig.request())).isEmpty();
        }
    }

    @Test
    void shouldListADeviceThatCannotBeMigrated() {
        try (MigrationRig rig = new MigrationRig(EnumSet.noneOf(MigrationFeature.class))) {
            assertThat(rig.service.devices()).hasSize(2);
            assertThat(rig.service.devices().get(0).features()).isEmpty();
        }
    }
}
