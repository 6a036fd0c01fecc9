// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.EAGAIN;
import static dev.ferry.conformance.harness.Commands.EEXIST;
import static dev.ferry.conformance.harness.Commands.ENOMEM;
import static dev.ferry.conformance.harness.Commands.ENXIO;
import static dev.ferry.conformance.harness.Commands.GET;
import static dev.ferry.conformance.harness.Commands.LIST;
import static dev.ferry.conformance.harness.Commands.OK;
import static dev.ferry.conformance.harness.Commands.command;
import static dev.ferry.conformance.harness.Commands.create;
import static dev.ferry.conformance.harness.Commands.destroy;
import static dev.ferry.conformance.harness.Commands.getAll;
import static dev.ferry.conformance.harness.Commands.metadata;
import static dev.ferry.conformance.harness.Commands.set;
import static dev.ferry.conformance.harness.Commands.stop;
import static dev.ferry.conformance.harness.Commands.toMember;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.AdminPort;
import dev.ferry.conformance.harness.Answer;
import dev.ferry.conformance.harness.Commands;
import dev.ferry.conformance.harness.Emulator;
import dev.ferry.conformance.harness.GuestDriver;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.harness.Part;
import dev.ferry.conformance.table.Rule;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Virtio 1.4, "Administration Virtqueues": what a device must do about the answer, order and failures. */
class AdminVirtqueueRulesTest {
    private static final int HEAD_BYTES = 8;
    private static final int METADATA_HEAD_BYTES = 16;
    private static final int PART_HEADER_BYTES = 16;

    @RegisterExtension
    final Emulator emulator = new Emulator();

    @Test
    @Rule("D14")
    void d14TheWritablePartIsInitialisedInWholeWords() {
        Adapter adapter = emulator.strict(1);
        Scenario.everyCommand(adapter, (command, space) -> {
            // Sent once in this space, so that the answer's own length is known; sent again where that has no effect.
            Answer whole = adapter.admin().accept(command, space);
            // The used length tells where a capability or a part ends; initialised is the whole word all the same.
            assertThat(whole.filling())
                    .as("behind %d bytes of %s", whole.used(), command)
                    .isEqualTo(new byte[whole.filling().length]);
            boolean repeatable = "00 07 08 09 0b 0c 0e 0f 11".contains(command.substring(0, 2));
            for (int words = 1; repeatable && words <= whole.used() / 8; words++) {
                Answer answer = adapter.admin().send(command, 8 * words);
                boolean refused = answer.status() == ENOMEM;
                assertThat(answer.used()).as("%s in %d words", command, words).isEqualTo(refused ? 8 : 8 * words);
            }
        });
    }

    @Test
    @Rule("D14")
    void d14StatusAndQualifierAreAlwaysInitialised() {
        Adapter adapter = Scenario.busy(emulator.adapter(2));
        for (String command : Scenario.refusedCommands()) {
            Answer answer = adapter.admin().send(command, 8);
            assertThat(answer.used()).as(command).isEqualTo(HEAD_BYTES);
            assertThat(answer.hex()).as("reserved bytes, %s", command).endsWith("00000000");
            assertThat(adapter.admin().send(command, 4).hex()).isEqualTo(answer.hex().substring(0, 8));
        }
    }

    @Test
    @Rule("D15")
    void d15CommandsTakeEffectAndCompleteInQueueOrder() {
        Adapter adapter = emulator.adapter(1).ready();
        int[] statuses = {0, EEXIST, 0, ENXIO};
        String[] cycle = {create(1, 7, GET), create(1, 7, GET), destroy(1, 7), destroy(1, 7)};
        List<Integer> completed = new ArrayList<>();
        List<byte[]> answers = new ArrayList<>();
        for (int number = 0; number < 400; number++) {
            byte[] answer = AdminPort.canary(8);
            answers.add(answer);
            int index = number;
            adapter.admin()
                    .begin(
                            new ByteBuffer[] {ByteBuffer.wrap(Hex.bytes(cycle[number % cycle.length]))},
                            new ByteBuffer[] {ByteBuffer.wrap(answer)})
                    .thenAccept(used -> {
                        synchronized (completed) {
                            completed.add(index);
                        }
                    });
        }
        // Behind all others in the queue.
        adapter.admin().expect(Commands.resume(1), OK);
        assertThat(completed).hasSize(400).isSorted();
        for (int number = 0; number < answers.size(); number++) {
            assertThat(Hex.number(answers.get(number), 0, 2))
                    .as("status of command %d", number)
                    .isEqualTo(statuses[number % cycle.length]);
        }
    }

    @Test
    @Rule("D16")
    void d16AStopThatMustBeTriedAgainHasStoppedNothing() throws InterruptedException {
        Adapter adapter = emulator.adapter(1).ready();
        GuestDriver driver = new GuestDriver(adapter.function(1)).start();
        driver.postReceiveBuffers(4);
        String before = Part.hex(adapter.parts(1));
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch leave = new CountDownLatch(1);
        driver.onInterrupt(() -> {
            entered.countDown();
            awaitBriefly(leave);
        });
        Thread network = new Thread(() -> adapter.cable(1).deliver(ByteBuffer.wrap(GuestDriver.frame(1))), "network");
        network.start();
        assertThat(entered.await(10, TimeUnit.SECONDS)).isTrue();
        Answer answer = adapter.admin().send(stop(1));
        leave.countDown();
        network.join();
        assertThat(answer.hex()).isEqualTo(Hex.plain("0b00 0700 00000000"));
        assertThat(answer.status()).isEqualTo(EAGAIN);
        driver.onInterrupt(() -> {});
        assertThat(Part.hex(adapter.parts(1))).isEqualTo(before);
        assertThat(adapter.cable(1).deliver(ByteBuffer.wrap(GuestDriver.frame(2)))).isEqualTo(Delivery.TAKEN);
        assertThat(driver.queue(GuestDriver.RECEIVE).used()).isEqualTo(2);
        adapter.stop(1);
    }

    private static void awaitBriefly(CountDownLatch latch) {
        try {
            latch.await(20, TimeUnit.SECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    @Test
    @Rule("D16")
    void d16TooLittleSpaceOrTooManyPartsChangeNothing() {
        Adapter adapter = Scenario.busy(emulator.adapter(2));
        Snapshot before = Snapshot.of(adapter);
        int headers = PART_HEADER_BYTES * adapter.parts(1, Scenario.GET_OBJECT).size();
        assertThat(adapter.admin().send(metadata(1, Scenario.GET_OBJECT, LIST), METADATA_HEAD_BYTES + headers - 1))
                .matches(answer -> answer.status() == ENOMEM && answer.used() == HEAD_BYTES);
        int bytes = Hex.bytes(Part.hex(adapter.parts(1, Scenario.GET_OBJECT))).length;
        assertThat(adapter.admin().send(getAll(1, Scenario.GET_OBJECT), HEAD_BYTES + bytes - 1))
                .matches(answer -> answer.status() == ENOMEM && answer.used() == HEAD_BYTES);
        String status = Part.of(Part.DEVICE_STATUS, Hex.zeros(8), "00").hex();
        Part huge = new Part(0x5FF, 1, Hex.zeros(8), Hex.zeros(2 << 20));
        assertThat(adapter.admin().send(set(1, Scenario.SET_OBJECT, status + huge.hex())).status()).isEqualTo(ENOMEM);
        assertThat(Snapshot.of(adapter)).isEqualTo(before);
        assertThat(adapter.admin().send(getAll(1, Scenario.GET_OBJECT), HEAD_BYTES + bytes).result()).hasSize(bytes);
        assertThat(adapter.admin().send(toMember(0x11, 1, "00")).status()).isZero();
    }
}
