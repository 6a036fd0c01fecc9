// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.EAGAIN;
import static dev.ferry.conformance.harness.Commands.EEXIST;
import static dev.ferry.conformance.harness.Commands.ENOMEM;
import static dev.ferry.conformance.harness.Commands.ENXIO;
import static dev.ferry.conformance.harness.Commands.GET;
import static dev.ferry.conformance.harness.Commands.INVALID_OPCODE;
import static dev.ferry.conformance.harness.Commands.LIST;
import static dev.ferry.conformance.harness.Commands.OK;
import static dev.ferry.conformance.harness.Commands.SELF;
import static dev.ferry.conformance.harness.Commands.SR_IOV;
import static dev.ferry.conformance.harness.Commands.capIdListQuery;
import static dev.ferry.conformance.harness.Commands.command;
import static dev.ferry.conformance.harness.Commands.create;
import static dev.ferry.conformance.harness.Commands.destroy;
import static dev.ferry.conformance.harness.Commands.deviceCapGet;
import static dev.ferry.conformance.harness.Commands.driverCapSet;
import static dev.ferry.conformance.harness.Commands.getAll;
import static dev.ferry.conformance.harness.Commands.listQuery;
import static dev.ferry.conformance.harness.Commands.listUse;
import static dev.ferry.conformance.harness.Commands.metadata;
import static dev.ferry.conformance.harness.Commands.query;
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
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Virtio 1.4, "Administration Virtqueues": what a device must do about buffers and order. */
class AdminVirtqueueRulesTest {

    private static final int HEADER_BYTES = 24;
    private static final int HEAD_BYTES = 8;
    private static final int METADATA_HEAD_BYTES = 16;
    private static final int PART_HEADER_BYTES = 16;

    @RegisterExtension
    final Emulator emulator = new Emulator();

    /** Commands of a life with objects, for which a shorter form means something as well. */
    private static List<String> shortenable() {
        return List.of(
                driverCapSet(Adapter.MOST_OBJECTS, Adapter.MOST_OBJECTS),
                create(1, 0, GET),
                create(1, 1, Commands.SET),
                query(1, 1),
                metadata(1, 0, Commands.COUNT),
                metadata(1, 0, Commands.SIZE),
                getAll(1, 0),
                stop(1),
                set(1, 1, Part.of(Part.DEVICE_STATUS, Hex.zeros(8), "00").hex()),
                Commands.resume(1),
                Commands.modify(1, 1, GET),
                destroy(1, 1),
                destroy(1, 0),
                deviceCapGet(0),
                capIdListQuery(),
                listQuery(SR_IOV),
                listQuery(SELF));
    }

    @Test
    @Rule("D12")
    void d12ShortInputReadsAsZeros() {
        Adapter shortened = emulator.strict(1).ready();
        Adapter filledUp = emulator.strict(1).ready();
        int space = 1 << 14;
        for (String command : shortenable()) {
            byte[] whole = Hex.bytes(command);
            for (int length = 0; length <= whole.length; length++) {
                byte[] zeroed = Arrays.copyOf(Arrays.copyOf(whole, length), whole.length + HEADER_BYTES);
                boolean parts = whole[0] == 0x10 || whole[0] == 0x0f;
                byte[] exact = parts ? Arrays.copyOf(zeroed, Math.max(length, HEADER_BYTES + 16)) : zeroed;
                Answer answer = shortened.admin().send(Arrays.copyOf(whole, length), space);
                Answer expected = filledUp.admin().send(exact, space);
                assertThat(answer.used()).as("%d bytes of %s", length, command).isEqualTo(expected.used());
                // Parts hold the address of the adapter, which is another for each.
                assertThat(whole[0] == 0x0f ? answer.hex().substring(0, 16) : answer.hex())
                        .as("%d bytes of %s", length, command)
                        .isEqualTo(whole[0] == 0x0f ? expected.hex().substring(0, 16) : expected.hex());
            }
        }
        assertThat(shortened.objects()).isEqualTo(filledUp.objects());
    }

    @Test
    @Rule("D12")
    void d12ShortInputOfTheHeaderReadsAsZeros() {
        Adapter adapter = emulator.adapter(1);
        String selfList = adapter.admin().send(listQuery(SELF)).hex();
        String memberList = adapter.admin().send(listQuery(SR_IOV)).hex();
        adapter.admin().expect("", selfList);
        adapter.admin().expect("00", selfList);
        adapter.admin().expect("0000 01", memberList);
        adapter.admin().accept(command(0x01, SR_IOV, 0, "83"));
        adapter.admin().expect(stop(1), INVALID_OPCODE);
        adapter.admin().expect("11", INVALID_OPCODE);
        adapter.admin().expect("01", OK);
        adapter.admin().expect(listUse(SELF, 3), INVALID_OPCODE);
    }

    @Test
    @Rule("D12")
    void d12MoreInputIsIgnored() {
        Adapter adapter = emulator.strict(1).ready();
        String more = "ff".repeat(40);
        adapter.admin().accept(listQuery(SR_IOV) + more);
        adapter.admin().accept(capIdListQuery() + more);
        adapter.admin().expect(deviceCapGet(0) + more, OK + "ffff");
        adapter.admin().expect(driverCapSet(3, 2) + more, OK);
        adapter.admin().expect(create(1, 2, GET) + more, OK);
        adapter.admin().expect(Commands.modify(1, 2, GET) + more, OK);
        adapter.admin().expect(query(1, 2) + more, OK + Hex.zeros(8));
        assertThat(adapter.admin().accept(metadata(1, 2, Commands.SIZE) + more).used()).isEqualTo(16);
        assertThat(adapter.admin().accept(getAll(1, 2) + more, 1 << 14).result())
                .isEqualTo(adapter.admin().accept(getAll(1, 2), 1 << 14).result());
        adapter.admin().expect(stop(1) + more, OK);
        adapter.admin().expect(destroy(1, 2) + more, OK);
        adapter.expectNoObjects();
    }

    @Test
    @Rule("D12")
    void d12OutputIsCutAndTheUsedLengthTellsHowMuchThereIs() {
        Adapter adapter = emulator.strict(1).ready();
        adapter.admin().accept(create(1, 0, GET));
        List<String> commands = List.of(
                listQuery(SELF),
                listQuery(SR_IOV),
                capIdListQuery(),
                deviceCapGet(0),
                query(1, 0),
                stop(1),
                query(1, 9),
                command(0x12, SR_IOV, 1, ""));
        for (String command : commands) {
            String whole = adapter.admin().send(command, 1 << 12).hex();
            for (int space = 0; space <= whole.length() / 2; space++) {
                adapter.admin().expect(command, space, whole.substring(0, 2 * space));
            }
        }
        adapter.admin().expect(create(1, 5, GET), 0, "");
        adapter.admin().expect(query(1, 5), OK + Hex.zeros(8));
    }

    @Test
    @Rule("D12")
    void d12BuffersMayBeSplitAnywhere() {
        Adapter adapter = emulator.strict(1).ready();
        adapter.admin().accept(create(1, 0, GET));
        byte[] command = Hex.bytes(query(1, 0));
        String whole = adapter.admin().send(query(1, 0)).hex();
        for (int cut = 0; cut <= command.length; cut++) {
            ByteBuffer[] readable = {
                ByteBuffer.wrap(command, 0, cut).slice(), ByteBuffer.wrap(command, cut, command.length - cut)
            };
            ByteBuffer[] writable = new ByteBuffer[16];
            Arrays.setAll(writable, at -> ByteBuffer.allocate(1));
            Integer used = adapter.admin().begin(readable, writable).toCompletableFuture().join();
            StringBuilder answer = new StringBuilder();
            for (int at = 0; at < used; at++) {
                answer.append(Hex.of(writable[at].array()));
            }
            assertThat(answer).hasToString(whole);
        }
    }

    @Test
    @Rule("D13")
    void d13NoCommandFailsForItsLengthAlone() {
        for (Adapter adapter : List.of(emulator.strict(1), emulator.adapter(1))) {
            Scenario.everyCommand(adapter, (command, space) -> {
                boolean parts = command.startsWith("1000");
                boolean spaceMatters = command.startsWith("0e00") || command.startsWith("0f00");
                // Behind parts there is nothing to ignore: what follows is the next part.
                String sent = parts || command.startsWith("0100") ? command : command + Hex.zeros(41);
                adapter.admin().accept(sent, spaceMatters ? space + 7 : space * 16 + 3);
            });
            adapter.expectNoObjects();
        }
    }

    @Test
    @Rule("D13")
    void d13NoCommandFailsForLackOfSpaceUnlessTheTextSaysSo() {
        Adapter adapter = emulator.strict(1);
        Scenario.everyCommand(adapter, (command, space) -> {
            boolean spaceMatters = command.startsWith("0e00") || command.startsWith("0f00");
            Answer answer = adapter.admin().send(command, spaceMatters ? space : 4);
            assertThat(answer.status()).as(command).isZero();
        });
        adapter.expectNoObjects();
    }

    @Test
    @Rule("D13")
    void d13LengthsThatAreNoMultipleOfEightAreTaken() {
        Adapter adapter = emulator.adapter(1).ready();
        assertThat(Hex.bytes(stop(1)).length % 8).isEqualTo(1);
        assertThat(Hex.bytes(driverCapSet(1, 1)).length % 8).isEqualTo(2);
        adapter.admin().expect(stop(1), 8, OK);
        adapter.admin().expect(driverCapSet(1, 1), 9, OK);
        adapter.admin().expect(deviceCapGet(0), 10, OK + "ffff");
    }

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
