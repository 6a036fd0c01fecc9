// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.emulator.internal.owner.AdapterSettings;
import dev.ferry.emulator.internal.owner.CommandSet;
import dev.ferry.emulator.internal.owner.Latency;
import dev.ferry.emulator.internal.owner.VirtioNetMembers;
import dev.ferry.stream.virtiovf.internal.VirtiovfFormat;
import dev.ferry.virtio.driver.command.AdminChannel;
import dev.ferry.virtio.driver.command.SystemClock;
import dev.ferry.virtio.driver.fake.MemberContract;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The vendor contract on two members of an emulated owner device, with the stream format that carries them. */
class VirtioNetContractTest {

    @TestFactory
    Stream<DynamicTest> contract() throws Exception {
        return MemberContract.of(VirtioNetContractTest::members);
    }

    /** Leaves no object at the owner device. */
    private static MemberContract.Members members() throws DeviceException {
        AdapterSettings settings = new AdapterSettings(
                "host1", "pf0", 2, 1, 256, true, 255, 0, CommandSet.PARTS, false, true, Latency.NONE, 16);
        var device = new dev.ferry.emulator.internal.owner.OwnerDevice(settings, new VirtioNetMembers(settings));
        ProviderSettings provider = new ProviderSettings();
        AdminChannel channel = new AdminChannel("host1/pf0", device, provider.timeout(), new SystemClock());
        OwnerDevice owner = new OwnerSetup("host1/pf0", device, channel, provider, () -> false).run();
        return new MemberContract.Members(driver(owner, 1, provider), driver(owner, 2, provider), () -> {
            assertThat(device.resourceObjects()).isZero();
            device.close();
        });
    }

    private static VirtioNetDriver driver(OwnerDevice owner, int member, ProviderSettings provider) {
        return new VirtioNetDriver(
                "host1/pf0/vf" + member, owner, member, new VirtiovfFormat(), provider.timeout(), System::nanoTime);
    }
}
