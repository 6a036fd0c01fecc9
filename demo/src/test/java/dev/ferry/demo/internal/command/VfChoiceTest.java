// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.demo.internal.run.VfPair;
import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.emulator.control.NetworkPort;
import dev.ferry.emulator.control.PciFunction;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.migration.DeviceDescription;
import java.util.EnumSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import org.junit.jupiter.api.Test;

class VfChoiceTest {

    private static final List<EmulatedAdapter> ADAPTERS =
            List.of(new Adapter("a/pf0", "a", 2), new Adapter("b/pf0", "b", 2));

    @Test
    void shouldTakeTheFirstRunningVfOfEachOfTwoHosts() throws Exception {
        List<VfPair> choice = VfChoice.among(
                List.of(
                        device("a", 1, DeviceState.STOP),
                        device("a", 2, DeviceState.RUNNING),
                        device("b", 1, DeviceState.ERROR),
                        device("b", 2, DeviceState.RUNNING)),
                ADAPTERS,
                1);

        assertThat(choice).hasSize(1);
        assertThat(choice.get(0).source().id()).isEqualTo("a/pf0/vf2");
        assertThat(choice.get(0).destination().id()).isEqualTo("b/pf0/vf2");
    }

    @Test
    void shouldLeaveDevicesAloneThatAreNotEmulatedOrAreGone() {
        List<DeviceDescription> devices = List.of(
                device("a", 1, DeviceState.RUNNING),
                device("b", 3, DeviceState.RUNNING),
                device("c", 1, DeviceState.RUNNING));

        assertThatThrownBy(() -> VfChoice.among(devices, ADAPTERS, 1))
                .isInstanceOf(CommandFailedException.class)
                .hasMessage("the demo needs an emulated VF that is RUNNING on each of two hosts, and found 1 on a"
                        + " alone; \"devices\" shows what there is");
    }

    @Test
    void shouldTakeAsManyOfTwoHostsAsAreAskedFor() throws Exception {
        List<DeviceDescription> devices = List.of(
                device("a", 1, DeviceState.RUNNING),
                device("a", 2, DeviceState.RUNNING),
                device("b", 1, DeviceState.RUNNING),
                device("b", 2, DeviceState.RUNNING));

        assertThat(VfChoice.among(devices, ADAPTERS, 2))
                .extracting(pair -> pair.source().id() + " to " + pair.destination().id())
                .containsExactly("a/pf0/vf1 to b/pf0/vf1", "a/pf0/vf2 to b/pf0/vf2");
        assertThat(VfChoice.isEnough(devices, ADAPTERS, 2)).isTrue();
        assertThat(VfChoice.isEnough(devices, ADAPTERS, 3)).isFalse();
        assertThatThrownBy(() -> VfChoice.among(devices.subList(0, 3), ADAPTERS, 2))
                .hasMessageContaining("2 emulated VFs that are RUNNING on each of two hosts");
    }

    @Test
    void shouldSayThatThereIsNone() {
        assertThatThrownBy(() -> VfChoice.among(List.of(), ADAPTERS, 1)).hasMessageContaining("found none");
    }

    private static DeviceDescription device(String host, int member, DeviceState state) {
        return new DeviceDescription(
                host + "/pf0/vf" + member, "virtio-net", host, Optional.of(host + "/pf0"), OptionalInt.of(member),
                "virtio", Optional.of(state), EnumSet.noneOf(MigrationFeature.class), Optional.empty());
    }

    private record Adapter(String ownerId, String host, int members) implements EmulatedAdapter {
        @Override
        public PciFunction ownerFunction() {
            return null;
        }

        @Override
        public PciFunction function(int member) {
            return null;
        }

        @Override
        public NetworkPort port(int member) {
            return null;
        }

        @Override
        public int resourceObjects() {
            return 0;
        }
    }
}
