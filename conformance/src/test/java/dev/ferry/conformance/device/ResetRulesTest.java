// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.OK;
import static dev.ferry.conformance.harness.Commands.SET;
import static dev.ferry.conformance.harness.Commands.create;
import static dev.ferry.conformance.harness.Commands.set;
import static dev.ferry.conformance.harness.Commands.stop;
import static dev.ferry.conformance.harness.Part.DEVICE_STATUS;
import static dev.ferry.conformance.harness.Part.PCI_COMMON_CFG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.Emulator;
import dev.ferry.conformance.harness.Framework.Waiting;
import dev.ferry.conformance.harness.GuestDriver;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.harness.Part;
import dev.ferry.conformance.table.Rule;
import dev.ferry.device.DeviceException;
import dev.ferry.virtio.FunctionReset;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Virtio 1.4, device parts and commands around a reset of a VF: what a device must do. */
class ResetRulesTest {

    @RegisterExtension
    final Emulator emulator = new Emulator();

    @Test
    @Rule("D52")
    void d52AStopDuringAResetTakesEffectBehindIt() throws Exception {
        for (int round = 0; round < 5; round++) {
            Adapter adapter = emulator.adapter(1).ready();
            adapter.admin().accept(create(1, 0, SET));
            GuestDriver driver = new GuestDriver(adapter.function(1)).start();
            CountDownLatch busy = new CountDownLatch(1);
            CountDownLatch done = new CountDownLatch(1);
            adapter.cable(1).connect(frame -> {
                busy.countDown();
                awaitBriefly(done);
            });
            Thread traffic = begin(() -> driver.transmit(GuestDriver.frame(1)));
            assertThat(busy.await(10, TimeUnit.SECONDS)).isTrue();
            // The VF is in the middle of a frame, so the reset has begun and cannot end; the command comes behind it.
            FunctionReset host = adapter.functionReset();
            Thread reset = begin(() -> reset(host));
            Waiting.untilTrue("the reset waits", () -> reset.getState() == Thread.State.WAITING);
            Thread command = begin(() -> adapter.stop(1));
            Waiting.untilTrue("the command waits", () -> command.getState() == Thread.State.WAITING);
            done.countDown();
            traffic.join();
            reset.join();
            command.join();
            assertThat(adapter.admin().send(set(1, 0, "")).status()).as("stopped behind the reset").isZero();
            assertThat(adapter.part(1, Part.of(Part.DEVICE_STATUS, Hex.zeros(8), "").name()).value()).isEqualTo("00");
        }
    }

    private static void reset(FunctionReset host) {
        try {
            host.resetFunction(1);
        } catch (DeviceException e) {
            throw new AssertionError(e);
        }
    }

    private static void awaitBriefly(CountDownLatch latch) {
        try {
            latch.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static Thread begin(Runnable action) {
        Thread thread = new Thread(action, "conformance");
        thread.start();
        return thread;
    }

    @Test
    @Rule("D52")
    void d52PartsAreTakenBeforeOrBehindAResetNeverWithin() throws InterruptedException {
        Adapter adapter = emulator.adapter(1).ready();
        adapter.admin().accept(create(1, 0, SET));
        GuestDriver driver = new GuestDriver(adapter.function(1));
        String defaults = withoutGeneration(adapter);
        driver.start();
        driver.control(0, 0, (byte) 1);
        adapter.stop(1);
        String image = Part.hex(adapter.parts(1));
        String loaded = withoutGeneration(adapter);
        for (int round = 0; round < 300; round++) {
            Thread reset = begin(driver.pci()::functionLevelReset);
            adapter.admin().expect(set(1, 0, image), OK);
            reset.join();
            assertThat(withoutGeneration(adapter)).isIn(loaded, defaults);
        }
    }

    /** All parts but the generation of the configuration, which counts changes; no reset has to take it back. */
    private static String withoutGeneration(Adapter adapter) {
        String generation = Part.of(Part.PCI_COMMON_CFG, Part.field(GuestDriver.CONFIG_GENERATION), "").name();
        return Part.hex(adapter.parts(1).stream()
                .filter(part -> !part.name().equals(generation))
                .toList());
    }

    @Test
    @Rule("D54")
    void d54AResetOfTheVfSetsAllPartsToDefaults() throws Exception {
        Adapter adapter = emulator.adapter(1).ready();
        String defaults = withoutGeneration(adapter);
        for (String kind : List.of("by the driver", "of the function, by the guest", "of the function, by the host")) {
            GuestDriver driver = new GuestDriver(adapter.function(1)).start();
            driver.control(0, 0, (byte) 1);
            driver.control(2, 0, (byte) 7, (byte) 0);
            driver.control(1, 1, Hex.bytes("02aabbccddee"));
            assertThat(withoutGeneration(adapter)).isNotEqualTo(defaults);
            if (kind.endsWith("host")) {
                adapter.functionReset().resetFunction(1);
            } else if (kind.endsWith("guest")) {
                driver.pci().functionLevelReset();
            } else {
                driver.pci().common(GuestDriver.DEVICE_STATUS, 1, 0);
            }
            assertThat(withoutGeneration(adapter)).as("reset " + kind).isEqualTo(defaults);
        }
    }

    @Test
    @Rule("D54")
    void d54AResetOfAStoppedVfSetsAllPartsToDefaults() throws Exception {
        Adapter adapter = emulator.adapter(1).ready();
        String defaults = withoutGeneration(adapter);
        new GuestDriver(adapter.function(1)).start().control(0, 0, (byte) 1);
        adapter.stop(1);
        adapter.functionReset().resetFunction(1);
        assertThat(withoutGeneration(adapter)).isEqualTo(defaults);
    }
}
