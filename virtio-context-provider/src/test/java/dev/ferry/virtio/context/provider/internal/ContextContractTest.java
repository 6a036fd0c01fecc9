// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context.provider.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.emulator.internal.owner.AdapterSettings;
import dev.ferry.emulator.internal.owner.CommandSet;
import dev.ferry.emulator.internal.owner.Latency;
import dev.ferry.emulator.internal.owner.OwnerDevice;
import dev.ferry.emulator.internal.owner.VirtioNetMembers;
import dev.ferry.stream.virtiovf.internal.VirtiovfFormat;
import dev.ferry.virtio.driver.VendorOpcodes;
import dev.ferry.virtio.driver.command.AdminChannel;
import dev.ferry.virtio.driver.command.CommandTimeout;
import dev.ferry.virtio.driver.command.SystemClock;
import dev.ferry.virtio.driver.fake.MemberContract;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The vendor contract on two members of an emulated owner device, with the stream format that carries them. */
class ContextContractTest {

    private final CommandTimeout timeout = new CommandTimeout(ProviderConfiguration.PID);

    @TestFactory
    Stream<DynamicTest> contract() throws Exception {
        return MemberContract.of(this::members);
    }

    private MemberContract.Members members() throws DeviceException {
        AdapterSettings settings = new AdapterSettings(
                "host1", "pf0", 2, 1, 256, true, 255, 0, CommandSet.CONTEXT, false, true, Latency.NONE, 16);
        OwnerDevice device = new OwnerDevice(settings, new VirtioNetMembers(settings));
        AdminChannel channel = new AdminChannel("host1/pf0", device, timeout, new SystemClock());
        ContextOwner owner =
                new ContextSetup("host1/pf0", device, channel, new VendorOpcodes("test"), () -> false).run();
        return new MemberContract.Members(driver(owner, 1), driver(owner, 2), device::close);
    }

    private ContextDriver driver(ContextOwner owner, int member) {
        return new ContextDriver(
                "host1/pf0/vf" + member, owner, member, new VirtiovfFormat(), timeout, System::nanoTime);
    }
}
