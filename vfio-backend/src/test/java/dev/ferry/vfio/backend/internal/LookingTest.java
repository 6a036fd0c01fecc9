// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalStateException;

import dev.ferry.vfio.backend.internal.fake.FakePeer;
import dev.ferry.vfio.backend.internal.uapi.VfioIoctl;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The devices of the host are looked at, whatever is configured and whatever goes wrong. */
@Timeout(120)
class LookingTest extends BackendFixture {
    private static final int OWN_USER = 1000;

    @AfterEach
    void shouldLeaveNothing() {
        backend.deactivate();
        assertThat(registered).isEmpty();
        assertThat(host.kernel.openFiles()).isZero();
    }

    @Test
    void shouldListEveryDeviceWhenTheFirstConfigurationIsInvalid() {
        configure(Map.of("devices", new String[] {"eth0"}));

        assertThat(registered).containsOnlyKeys("host9/" + VF, "host9/" + MDEV);
        assertThat(property(VF, "ferry.not.migratable")).asString().startsWith("it is not open: add it to the list");
        assertThat(host.kernel.log).isEmpty();

        configure(Map.of("devices", new String[] {VF}));
        assertThat(property(VF, "ferry.vfio.access")).asString().startsWith("group 12");
    }

    @Test
    void shouldGoOnLookingBehindAnError() throws Exception {
        CountDownLatch failed = new CountDownLatch(3);
        instead.put("open", arguments -> {
            failed.countDown();
            throw new OutOfMemoryError("told to fail");
        });
        configure(Map.of("devices", new String[] {MDEV}, "rescan_seconds", "1"));
        assertThat(failed.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).as("tried again").isTrue();

        instead.remove("open");

        await("+host9/" + MDEV);
        while (property(MDEV, "ferry.vfio.access") == null) {
            await("+host9/" + MDEV);
        }
    }

    @Test
    void shouldLeaveNothingWhenItCannotAnswerItsFirstConfiguration() {
        VfioBackend failing = new VfioBackend(folder, () -> calls, (driver, memory, about) -> {
            registered.put("+" + about.get("ferry.device.id"), new Registered(driver, about));
            return () -> registered.remove("+" + about.get("ferry.device.id"));
        }, outcome -> {
            throw new IllegalStateException("the bundle stops");
        }, PATIENCE_MILLIS, LONG);

        assertThatIllegalStateException().isThrownBy(() -> failing.activate(
                Configured.with(Map.of("devices", new String[] {MDEV})),
                Map.of("service.pid", BackendConfiguration.PID)));

        assertThat(host.kernel.log).as("the device was opened").isNotEmpty();
        assertThat(registered).isEmpty();
        assertThat(host.kernel.openFiles()).isZero();
    }

    @Test
    void shouldTellTheFirstErrorOfAnActivationWhoseEndFailsToo() {
        AtomicInteger withdrawn = new AtomicInteger();
        Runnable withdrawal = () -> {
            if (withdrawn.incrementAndGet() <= 2) {
                throw new IllegalStateException("withdrawal " + withdrawn);
            }
        };
        VfioBackend failing = new VfioBackend(
                folder, () -> calls, (driver, memory, about) -> () -> {}, outcome -> withdrawal, PATIENCE_MILLIS, LONG);
        Map<String, Object> properties = Map.of("service.pid", BackendConfiguration.PID);
        failing.modified(Configured.with(Map.of()), properties);

        assertThatIllegalStateException()
                .isThrownBy(() -> failing.activate(Configured.with(Map.of()), properties))
                .withMessage("withdrawal 1")
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));

        failing.deactivate();
    }

    @Test
    void shouldDoSoonWhatIsConfiguredWhileAnotherHasALongTurn() throws Exception {
        backend = backend(DeviceServices.PATIENCE);
        Map<String, Object> values = new HashMap<>(
                Map.of("handover_socket", folder.resolve("ferry.sock").toString(), "rescan_seconds", "3600"));
        configure(values);
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch letGo = new CountDownLatch(1);
        instead.put("ioctl", arguments -> {
            if (arguments[1].equals(VfioIoctl.VFIO_DEVICE_FEATURE)) {
                instead.remove("ioctl");
                entered.countDown();
                awaitLatch(letGo);
            }
            return null;
        });
        int ofVmm = host.kernel.install(host.devices.get(MDEV));
        try (FakePeer vmm = host.kernel.connect(folder.resolve("ferry.sock"), OWN_USER)) {
            Thread lender = new Thread(() -> vmm.ask("ferry-vfio 1 lend " + MDEV, host.devices.get(MDEV)));
            lender.start();
            awaitLatch(entered);

            values.put("devices", new String[] {VF});
            configure(values);
            letGo.countDown();

            await("+host9/" + VF);
            assertThat(property(VF, "ferry.vfio.access")).asString().startsWith("group 12");
            lender.join(PATIENCE_MILLIS);
        } finally {
            letGo.countDown();
        }
        await("-host9/" + MDEV);
        host.kernel.close(ofVmm);
    }

    private static void awaitLatch(CountDownLatch latch) {
        try {
            assertThat(latch.await(PATIENCE_MILLIS, TimeUnit.MILLISECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldDisturbNothingThatIsInForceByARefusedConfiguration() throws Exception {
        configure(Map.of("devices", new String[] {VF}, "rescan_seconds", "3600"));
        host.pci("0000:3b:00.3", "virtio_vfio_pci", "14");

        configure(Map.of("devices", new String[] {"nonsense"}));

        assertThat(registered).as("looked at only with the next scan").doesNotContainKey("host9/0000:3b:00.3");
        configure(Map.of("devices", new String[] {VF}));
        assertThat(registered).containsKey("host9/0000:3b:00.3");
    }
}
