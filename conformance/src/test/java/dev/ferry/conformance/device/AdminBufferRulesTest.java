// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.GET;
import static dev.ferry.conformance.harness.Commands.INVALID_OPCODE;
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
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.Answer;
import dev.ferry.conformance.harness.Commands;
import dev.ferry.conformance.harness.Emulator;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.harness.Part;
import dev.ferry.conformance.table.Rule;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Virtio 1.4, "Administration Virtqueues": what a device must do about the length of its buffers. */
class AdminBufferRulesTest {

    private static final int HEADER_BYTES = 24;

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
}
