// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.INVALID_FIELD;
import static dev.ferry.conformance.harness.Commands.OK;
import static dev.ferry.conformance.harness.Commands.resume;
import static dev.ferry.conformance.harness.Commands.set;
import static dev.ferry.conformance.harness.Commands.stop;
import static dev.ferry.conformance.harness.Commands.toMember;
import static dev.ferry.conformance.harness.GuestDriver.CONTROL;
import static dev.ferry.conformance.harness.GuestDriver.RECEIVE;
import static dev.ferry.conformance.harness.GuestDriver.TRANSMIT;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.Emulator;
import dev.ferry.conformance.harness.Framework.Waiting;
import dev.ferry.conformance.harness.GuestDriver;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.harness.Part;
import dev.ferry.conformance.harness.PciView;
import dev.ferry.conformance.table.Rule;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Virtio 1.4, "Device parts handling commands", the stopped mode: what a device must do. */
class StoppedRulesTest {

    private static final int FRAME_NUMBER_OFFSET = 20;

    @RegisterExtension
    final Emulator emulator = new Emulator();

    private final List<Integer> sent = Collections.synchronizedList(new ArrayList<>());

    private Adapter adapter(int members) {
        Adapter adapter = emulator.adapter(members).ready();
        adapter.cable(1).connect(frame -> sent.add((int) frame.get(frame.position() + FRAME_NUMBER_OFFSET)));
        return adapter;
    }

    private static Delivery deliver(Adapter adapter, int number) {
        return adapter.cable(1).deliver(ByteBuffer.wrap(GuestDriver.frame(number)));
    }

    @Test
    @Rule("D50")
    void d50EveryBufferThatWasSeenIsUsedBehindTheStop() {
        Adapter adapter = adapter(1);
        GuestDriver driver = new GuestDriver(adapter.function(1)).start();
        driver.postReceiveBuffers(4);
        AtomicBoolean ended = new AtomicBoolean();
        Thread network = new Thread(() -> {
            for (int frame = 0; frame < 4; frame++) {
                deliver(adapter, frame);
            }
            ended.set(true);
        });
        for (int frame = 0; frame < 8; frame++) {
            driver.transmit(GuestDriver.frame(frame));
        }
        driver.control(0, 0, (byte) 1);
        network.start();
        adapter.stop(1);
        int usedAtStop = driver.queue(RECEIVE).used();
        Waiting.untilTrue("the network is through", ended::get);
        assertThat(driver.queue(TRANSMIT).used()).isEqualTo(8);
        assertThat(driver.queue(CONTROL).used()).isEqualTo(1);
        assertThat(driver.queue(RECEIVE).used()).as("no frame behind the stop").isEqualTo(usedAtStop);
        for (int frame = 0; frame < usedAtStop; frame++) {
            assertThat(driver.queue(RECEIVE).usedLength(frame)).isEqualTo(12 + GuestDriver.frame(0).length);
        }
    }

    @Test
    @Rule("D50")
    void d50NotificationsAreAcceptedAndServedInOrderBehindTheResume() {
        Adapter adapter = adapter(1);
        GuestDriver driver = new GuestDriver(adapter.function(1)).start();
        driver.transmit(GuestDriver.frame(0));
        for (int round = 0; round < 3; round++) {
            adapter.stop(1);
            for (int frame = 1; frame <= 3; frame++) {
                driver.transmit(GuestDriver.frame(3 * round + frame));
            }
            driver.notifyQueue(RECEIVE);
            driver.notifyQueue(CONTROL);
            assertThat(sent).hasSize(3 * round + 1);
            adapter.resume(1);
        }
        assertThat(sent).isEqualTo(IntStream.rangeClosed(0, 9).boxed().toList());
    }

    @Test
    @Rule("D50")
    void d50ReadsAreAnsweredAndPciBehavesAsEver() {
        Adapter adapter = adapter(1);
        GuestDriver driver = new GuestDriver(adapter.function(1)).start();
        PciView pci = driver.pci();
        adapter.stop(1);
        assertThat(pci.function().readConfig(0, 4)).isEqualTo(0x1041_1AF4L);
        assertThat(pci.common(GuestDriver.DEVICE_STATUS, 1)).isEqualTo(GuestDriver.LIVE);
        assertThat(pci.common(GuestDriver.NUM_QUEUES, 2)).isEqualTo(3);
        pci.common(GuestDriver.QUEUE_SELECT, 2, TRANSMIT);
        assertThat(pci.common(GuestDriver.QUEUE_ENABLE, 2)).isEqualTo(1);
        assertThat(pci.device(0, 1)).as("first byte of the address").isEqualTo(2);
        pci.function().writeConfig(0x3C, 1, 0x5A);
        assertThat(pci.function().readConfig(0x3C, 1)).as("interrupt line").isEqualTo(0x5A);
        pci.function().writeConfig(0x04, 2, 0x0002);
        assertThat(pci.function().readConfig(0x04, 2) & 0x0006).as("bus master off").isEqualTo(0x0002);
        pci.enable();
        pci.functionLevelReset();
        pci.enable();
        assertThat(pci.common(GuestDriver.DEVICE_STATUS, 1)).as("status behind a function-level reset").isZero();
    }

    @Test
    @Rule("D51")
    void d51AStoppedDeviceTouchesNothingAndTellsNobody() {
        Adapter adapter = adapter(1);
        GuestDriver driver = new GuestDriver(adapter.function(1)).start();
        driver.postReceiveBuffers(4);
        driver.transmit(GuestDriver.frame(1));
        assertThat(deliver(adapter, 2)).isEqualTo(Delivery.TAKEN);
        adapter.stop(1);
        driver.forgetInterrupts();
        sent.clear();
        driver.post(GuestDriver.frame(3));
        driver.postControl(0, 0, (byte) 1);
        driver.postReceiveBuffers(1);
        byte[] memory = driver.memory();
        String parts = Part.hex(adapter.parts(1));
        for (int queue = RECEIVE; queue <= CONTROL; queue++) {
            driver.notifyQueue(queue);
        }
        assertThat(deliver(adapter, 4)).isEqualTo(Delivery.NOT_READY);
        adapter.stop(1);
        driver.pci().enable();
        adapter.function(1).detach();
        new GuestDriver(adapter.function(1));
        assertThat(driver.memory()).isEqualTo(memory);
        assertThat(driver.interrupts()).isEmpty();
        assertThat(sent).isEmpty();
        // The driver itself has selected a queue meanwhile.
        assertThat(withoutQueueSelect(Part.hex(adapter.parts(1)))).isEqualTo(withoutQueueSelect(parts));
    }

    private static List<Part> withoutQueueSelect(String image) {
        String select = Part.of(Part.PCI_COMMON_CFG, Part.field(GuestDriver.QUEUE_SELECT), "").name();
        return Part.read(Hex.bytes(image)).stream()
                .filter(part -> !part.name().equals(select))
                .toList();
    }

    @Test
    @Rule("D51")
    void d51AnInterruptThatPendsIsSentByAResumeOnly() {
        Adapter adapter = adapter(1);
        GuestDriver driver = new GuestDriver(adapter.function(1)).start();
        driver.postReceiveBuffers(4);
        driver.pci().mask(RECEIVE + 1, true);
        assertThat(deliver(adapter, 1)).isEqualTo(Delivery.TAKEN);
        driver.forgetInterrupts();
        adapter.stop(1);
        driver.pci().mask(RECEIVE + 1, false);
        assertThat(driver.interrupts()).as("of the stopped device").isEmpty();
        adapter.resume(1);
        assertThat(driver.interrupts()).as("behind the resume").contains(RECEIVE + 1);
    }

    @Test
    @Rule("D51")
    void d51NothingHappensUnderAFloodOfNotifications() throws Exception {
        Adapter adapter = adapter(1);
        GuestDriver driver = new GuestDriver(adapter.function(1)).start();
        driver.postReceiveBuffers(4);
        AtomicBoolean end = new AtomicBoolean();
        FutureTask<Void> flood = new FutureTask<>(() -> {
            for (int number = 0; !end.get(); number++) {
                // Entries beyond the queue would overwrite those that are still out.
                if (driver.queue(TRANSMIT).offered() < 12) {
                    driver.post(GuestDriver.frame(number));
                }
                driver.notifyQueue(TRANSMIT);
                deliver(adapter, number);
            }
        }, null);
        new Thread(flood).start();
        try {
            Waiting.untilTrue("traffic", () -> !sent.isEmpty());
            for (int round = 0; round < 200; round++) {
                adapter.stop(1);
                int frames = sent.size();
                int used = driver.queue(TRANSMIT).used() + driver.queue(RECEIVE).used();
                int interrupts = driver.interrupts().size();
                adapter.admin().expect(stop(1), OK);
                assertThat(sent).hasSize(frames);
                assertThat(driver.queue(TRANSMIT).used() + driver.queue(RECEIVE).used()).isEqualTo(used);
                assertThat(driver.interrupts()).hasSize(interrupts);
                adapter.resume(1);
            }
        } finally {
            end.set(true);
        }
        flood.get(60, TimeUnit.SECONDS);
    }

    @Test
    @Rule("D53")
    void d53RepeatedStopsAndResumesSucceed() {
        Adapter adapter = adapter(2);
        GuestDriver driver = new GuestDriver(adapter.function(1)).start();
        int frames = 0;
        for (int round = 0; round < 3; round++) {
            for (int repeat = 0; repeat < 3; repeat++) {
                adapter.admin().expect(stop(1), OK);
            }
            driver.transmit(GuestDriver.frame(frames));
            assertThat(sent).as("stopped").hasSize(frames);
            frames++;
            for (int repeat = 0; repeat < 3; repeat++) {
                adapter.admin().expect(resume(1), OK);
                assertThat(sent).hasSize(frames);
                driver.transmit(GuestDriver.frame(frames));
                frames++;
                assertThat(sent).as("running behind resume %d", repeat).hasSize(frames);
            }
        }
        for (int flags : new int[] {2, 3, 0x80, 0xFF}) {
            adapter.admin().expect(toMember(0x11, 1, "%02x".formatted(flags)), INVALID_FIELD);
        }
        driver.transmit(GuestDriver.frame(9));
        assertThat(sent).as("still running").hasSize(frames + 1);
    }
}
