// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.cli.CommandFailedException;
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
        VfChoice choice = VfChoice.among(
                List.of(
                        device("a", 1, DeviceState.STOP),
                        device("a", 2, DeviceState.RUNNING),
                        device("b", 1, DeviceState.ERROR),
                        device("b", 2, DeviceState.RUNNING)),
                ADAPTERS);

        assertThat(choice.source().id()).isEqualTo("a/pf0/vf2");
        assertThat(choice.destination().id()).isEqualTo("b/pf0/vf2");
    }

    @Test
    void shouldLeaveDevicesAloneThatAreNotEmulatedOrAreGone() {
        List<DeviceDescription> devices = List.of(
                device("a", 1, DeviceState.RUNNING),
                device("b", 3, DeviceState.RUNNING),
                device("c", 1, DeviceState.RUNNING));

        assertThatThrownBy(() -> VfChoice.among(devices, ADAPTERS))
                .isInstanceOf(CommandFailedException.class)
                .hasMessage("the demo needs an emulated VF that is RUNNING on each of two hosts, and found some on a"
                        + " alone; \"devices\" shows what there is");
    }

    @Test
    void shouldSayThatThereIsNone() {
        assertThatThrownBy(() -> VfChoice.among(List.of(), ADAPTERS)).hasMessageContaining("found none");
    }

    private static DeviceDescription device(String host, int member, DeviceState state) {
        return new DeviceDescription(
                host + "/pf0/vf" + member, "virtio-net", host, Optional.of(host + "/pf0"), OptionalInt.of(member),
                "virtio", Optional.of(state), EnumSet.noneOf(MigrationFeature.class));
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
