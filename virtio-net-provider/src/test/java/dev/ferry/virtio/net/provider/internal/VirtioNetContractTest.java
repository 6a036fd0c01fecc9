// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assertions.assertTimeoutPreemptively;

import dev.ferry.contract.Check;
import dev.ferry.contract.DriverContract;
import dev.ferry.contract.DriverSubject;
import dev.ferry.device.DeviceException;
import dev.ferry.device.MigrationDriver;
import dev.ferry.emulator.internal.owner.AdapterSettings;
import dev.ferry.emulator.internal.owner.VirtioNetMembers;
import dev.ferry.stream.virtiovf.internal.VirtiovfFormat;
import dev.ferry.virtio.driver.command.AdminChannel;
import dev.ferry.virtio.driver.command.SystemClock;
import java.time.Duration;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.DynamicTest;
import org.junit.jupiter.api.TestFactory;

/** The vendor contract on two members of an emulated owner device, with the stream format that carries them. */
class VirtioNetContractTest {

    /** With P2P, PRE_COPY and dirty tracking: a feature that goes missing must not pass for a success. */
    private static final int CHECKS = 54;

    private static final Duration LIMIT = Duration.ofMinutes(1);

    @TestFactory
    Stream<DynamicTest> contract() throws Exception {
        List<Check> checks = new DriverContract(Members::new).checks();
        assertThat(checks).hasSize(CHECKS);
        return checks.stream()
                .map(check -> DynamicTest.dynamicTest(
                        check.name(), () -> assertTimeoutPreemptively(LIMIT, check::run)));
    }

    /** Two members; leaves no object at the owner device. */
    private static final class Members implements DriverSubject {
        private final dev.ferry.emulator.internal.owner.OwnerDevice device;
        private final VirtioNetDriver source;
        private final VirtioNetDriver destination;

        Members() throws DeviceException {
            AdapterSettings settings = new AdapterSettings("host1", "pf0", 2, 1, 256, true, 255, false);
            device = new dev.ferry.emulator.internal.owner.OwnerDevice(settings, new VirtioNetMembers(settings));
            ProviderSettings provider = new ProviderSettings();
            AdminChannel channel = new AdminChannel("host1/pf0", device, provider.timeout(), new SystemClock());
            OwnerDevice owner = new OwnerSetup("host1/pf0", device, channel, provider, () -> false).run();
            source = driver(owner, 1, provider);
            destination = driver(owner, 2, provider);
        }

        private static VirtioNetDriver driver(OwnerDevice owner, int member, ProviderSettings provider) {
            return new VirtioNetDriver(
                    "host1/pf0/vf" + member,
                    owner,
                    member,
                    new VirtiovfFormat(),
                    provider.timeout(),
                    System::nanoTime);
        }

        @Override
        public MigrationDriver source() {
            return source;
        }

        @Override
        public MigrationDriver destination() {
            return destination;
        }

        @Override
        public void close() {
            source.depart();
            destination.depart();
            assertThat(device.resourceObjects()).isZero();
            device.close();
        }
    }
}
