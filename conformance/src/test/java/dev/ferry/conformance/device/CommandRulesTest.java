// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.GET;
import static dev.ferry.conformance.harness.Commands.INVALID_FIELD;
import static dev.ferry.conformance.harness.Commands.INVALID_GROUP;
import static dev.ferry.conformance.harness.Commands.INVALID_MEMBER;
import static dev.ferry.conformance.harness.Commands.INVALID_OPCODE;
import static dev.ferry.conformance.harness.Commands.OK;
import static dev.ferry.conformance.harness.Commands.SELF;
import static dev.ferry.conformance.harness.Commands.SET;
import static dev.ferry.conformance.harness.Commands.SR_IOV;
import static dev.ferry.conformance.harness.Commands.capIdListQuery;
import static dev.ferry.conformance.harness.Commands.command;
import static dev.ferry.conformance.harness.Commands.create;
import static dev.ferry.conformance.harness.Commands.deviceCapGet;
import static dev.ferry.conformance.harness.Commands.driverCapSet;
import static dev.ferry.conformance.harness.Commands.listQuery;
import static dev.ferry.conformance.harness.Commands.listUse;
import static dev.ferry.conformance.harness.Commands.resume;
import static dev.ferry.conformance.harness.Commands.stop;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.Answer;
import dev.ferry.conformance.harness.Commands;
import dev.ferry.conformance.harness.Emulator;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.table.Rule;
import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Virtio 1.4, "Group administration commands": what a device must do. */
class CommandRulesTest {

    private static final long NO_MEMBER = -1;
    private static final int LAST_OPCODE = 0x11;
    private static final int LIST_USE_OPCODE = 1;

    @RegisterExtension
    final Emulator emulator = new Emulator();

    @Test
    @Rule("D1")
    void d1GroupIsCheckedBeforeOpcodeBeforeMember() {
        Adapter adapter = emulator.adapter(2).ready();
        for (int group : new int[] {2, 3, 0x100, 0xFFFF}) {
            adapter.admin().expect(command(0xFFFF, group, NO_MEMBER, ""), INVALID_GROUP);
            adapter.admin().expect(command(0x0000, group, 0, ""), INVALID_GROUP);
            adapter.admin().expect(command(0x0011, group, 1, "01"), INVALID_GROUP);
        }
        for (int opcode : new int[] {0x12, 0x3F, 0x40, 0x7FFF, 0x8000, 0xFFFF}) {
            adapter.admin().expect(command(opcode, SR_IOV, NO_MEMBER, ""), INVALID_OPCODE);
            adapter.admin().expect(command(opcode, SELF, NO_MEMBER, ""), INVALID_OPCODE);
        }
        Adapter fresh = emulator.strict(1);
        fresh.admin().expect(command(0x11, SR_IOV, NO_MEMBER, "ff"), INVALID_OPCODE);
        fresh.admin().expect(command(0x07, SELF, 1, ""), INVALID_OPCODE);
        adapter.admin().expect(command(0x11, SR_IOV, NO_MEMBER, "ff"), INVALID_MEMBER);
        adapter.admin().expect(command(0x0a, SR_IOV, 3, "ff"), INVALID_MEMBER);
        adapter.admin().expect(command(0x07, SELF, 1, ""), INVALID_MEMBER);
    }

    @Test
    @Rule("D2")
    void d2SuccessIsOkAndFailureIsNot() {
        Adapter adapter = emulator.strict(1);
        adapter.admin().expect(stop(1), INVALID_OPCODE);
        Scenario.everyCommand(adapter, (command, space) -> {
            Answer answer = adapter.admin().send(command, space);
            assertThat(answer.hex()).as(command).startsWith(Hex.plain(OK));
        });
        Adapter busy = Scenario.busy(emulator.adapter(2));
        for (String command : Scenario.refusedCommands()) {
            Answer answer = busy.admin().send(command);
            assertThat(answer.status()).as(command).isNotZero();
            assertThat(answer.qualifier()).as(command).isNotZero();
            assertThat(answer.hex()).as("reserved bytes of the answer to %s", command).endsWith("00000000").hasSize(16);
        }
    }

    @Test
    @Rule("D3")
    void d3InvalidCommandsChangeNothing() {
        Adapter adapter = Scenario.busy(emulator.adapter(2));
        Snapshot before = Snapshot.of(adapter);
        int invalid = 0;
        for (String command : Scenario.refusedCommands()) {
            if (adapter.admin().send(command).status() == Commands.EINVAL) {
                invalid++;
                assertThat(Snapshot.of(adapter)).as("state behind %s", command).isEqualTo(before);
            }
        }
        assertThat(invalid).as("commands that were invalid").isGreaterThan(20);
        adapter.resume(1);
        adapter.stop(1);
    }

    @Test
    @Rule("D4")
    void d4FailedCommandsChangeNothing() {
        Adapter adapter = Scenario.busy(emulator.adapter(2));
        Snapshot before = Snapshot.of(adapter);
        for (String command : Scenario.refusedCommands()) {
            adapter.admin().send(command);
        }
        assertThat(Snapshot.of(adapter)).isEqualTo(before);
    }

    @Test
    @Rule("D5")
    void d5ListsThatAreNotOfferedAreRefused() {
        Adapter adapter = emulator.adapter(1);
        adapter.admin().accept(listUse(SR_IOV, Adapter.ALL_PARTS_OPCODES));
        long offered = offered(adapter, SR_IOV);
        for (int bit = 0; bit < Long.SIZE; bit++) {
            if ((offered >>> bit & 1) == 0) {
                adapter.admin().expect(listUse(SR_IOV, 3 | 1L << bit), INVALID_FIELD);
            }
        }
        adapter.admin().expect(listUse(SR_IOV, offered) + Hex.zeros(8) + Hex.le64(1), INVALID_FIELD);
        adapter.admin().expect(listUse(SELF, offered(adapter, SELF) | 1L << 0x11), INVALID_FIELD);
        adapter.admin().expect(stop(1), OK);
    }

    @Test
    @Rule("D6")
    void d6GroupTypesHaveTheirOwnLists() {
        Adapter adapter = emulator.strict(1);
        adapter.admin().accept(listUse(SR_IOV, Adapter.ALL_PARTS_OPCODES));
        adapter.admin().expect(capIdListQuery(), INVALID_OPCODE);
        adapter.admin().accept(listUse(SELF, Adapter.ALL_SELF_OPCODES));
        adapter.admin().accept(capIdListQuery());
        adapter.admin().accept(listUse(SR_IOV, 3));
        adapter.admin().accept(capIdListQuery());
        adapter.admin().expect(stop(1), INVALID_OPCODE);
        adapter.admin().accept(listUse(SR_IOV, Adapter.ALL_PARTS_OPCODES));
        adapter.admin().accept(listUse(SELF, 1));
        adapter.admin().expect(stop(1), OK);
        adapter.admin().expect(listUse(SELF, 1), INVALID_OPCODE);
        adapter.admin().accept(listUse(SR_IOV, 3));
    }

    @Test
    @Rule("D7")
    void d7OnlyTheListCommandsAreLegalAfterAReset() {
        for (Adapter adapter : List.of(emulator.strict(1), emulator.adapter(1))) {
            for (int opcode = 0; opcode <= 0x7F; opcode++) {
                for (int group : new int[] {SELF, SR_IOV}) {
                    boolean list = opcode <= LIST_USE_OPCODE;
                    // Taking nothing into use would end the test, so LIST_USE has what is in use already.
                    String data = opcode == LIST_USE_OPCODE ? Hex.le64(3) : "";
                    String answer = adapter.admin().send(command(opcode, group, group, data)).hex();
                    assertThat(answer.substring(0, 16))
                            .as("answer to opcode %x, group %d", opcode, group)
                            .isEqualTo(Hex.plain(list ? OK : INVALID_OPCODE));
                }
            }
        }
    }

    @Test
    @Rule("D8")
    void d8ExactlyTheNewListIsInUse() {
        Adapter adapter = emulator.adapter(1);
        long offered = offered(adapter, SR_IOV);
        for (int opcode = 0x0a; opcode <= LAST_OPCODE; opcode++) {
            adapter.admin().accept(listUse(SR_IOV, 1L << opcode | 1L << LIST_USE_OPCODE));
            assertThat(legal(adapter)).as("with 0x%x in use", opcode).isEqualTo(1L << opcode);
            adapter.admin().expect(listQuery(SR_IOV), INVALID_OPCODE);
        }
        adapter.admin().accept(listUse(SR_IOV, offered & ~3L));
        adapter.admin().expect(listUse(SR_IOV, offered), INVALID_OPCODE);
        adapter.admin().expect(listQuery(SR_IOV), INVALID_OPCODE);
        adapter.admin().expect(stop(1), OK);
    }

    /** Member opcodes that are not refused as not in use; the empty commands have no effect or none that lasts. */
    private static long legal(Adapter adapter) {
        long legal = 0;
        for (int opcode = 0x0a; opcode <= LAST_OPCODE; opcode++) {
            String answer = adapter.admin().send(command(opcode, SR_IOV, 1, "")).hex();
            if (!answer.equals(Hex.plain(INVALID_OPCODE))) {
                legal |= 1L << opcode;
            }
        }
        return legal;
    }

    @Test
    @Rule("D9")
    void d9OpcodesOutsideTheListAreRefused() {
        Adapter adapter = emulator.strict(1);
        // The capability commands that are listed for the SR-IOV group, for Linux, are none of a strict self group's.
        adapter.admin().accept(listUse(SR_IOV, 3 | 1L << 0x11 | 7L << 0x07));
        adapter.admin().accept(listUse(SELF, 3 | 1L << 0x07));
        adapter.admin().expect(create(1, 0, GET), INVALID_OPCODE);
        adapter.admin().expect(create(7, 0, GET), INVALID_OPCODE);
        adapter.admin().expect(deviceCapGet(0), INVALID_OPCODE);
        adapter.admin().expect(driverCapSet(1, 1), INVALID_OPCODE);
        adapter.admin().expect(stop(1), OK);
        adapter.admin().expect(resume(1), OK);
        adapter.admin().accept(capIdListQuery());
        // Opcodes of the range that has no meaning yet, and of the one that is reserved.
        for (int opcode = 0x12; opcode <= 0xFFFF; opcode += 0x11) {
            adapter.admin().expect(command(opcode, SR_IOV, 1, ""), INVALID_OPCODE);
        }
    }

    @Test
    @Rule("D10")
    void d10ReportedListsDoNotShrinkAndAreAcceptedAgain() throws IOException {
        Adapter adapter = emulator.adapter(2);
        long offered = offered(adapter, SR_IOV);
        long offeredSelf = offered(adapter, SELF);
        assertThat(offered & Adapter.ALL_PARTS_OPCODES).isEqualTo(Adapter.ALL_PARTS_OPCODES);
        adapter.admin().accept(listUse(SR_IOV, 3 | 1L << 0x11));
        assertThat(offered(adapter, SR_IOV) & offered).as("with a short list in use").isEqualTo(offered);
        adapter.admin().accept(listUse(SR_IOV, offered));
        adapter.admin().accept(listUse(SELF, offeredSelf));
        adapter.admin().accept(driverCapSet(2, 2));
        adapter.admin().accept(create(1, 0, SET));
        adapter.resize(1);
        assertThat(offered(adapter, SR_IOV) & offered).as("with objects and fewer VFs").isEqualTo(offered);
        assertThat(offered(adapter, SELF) & offeredSelf).isEqualTo(offeredSelf);
        Adapter again = emulator.adapter(2);
        again.admin().accept(listUse(SR_IOV, offered));
        again.admin().accept(listUse(SELF, offeredSelf));
    }

    private static long offered(Adapter adapter, int group) {
        byte[] list = adapter.admin().accept(listQuery(group)).result();
        assertThat(list.length).as("length of the list in bytes").isPositive().matches(length -> length % 8 == 0);
        return Hex.number(list, 0, Long.BYTES);
    }

    @Test
    @Rule("D11")
    void d11TheSrIovGroupIsThereWithVfsOnly() throws IOException {
        Adapter adapter = emulator.strict(0);
        adapter.admin().expect(listQuery(SR_IOV), INVALID_GROUP);
        adapter.admin().expect(listUse(SR_IOV, 3), INVALID_GROUP);
        adapter.admin().expect(stop(1), INVALID_GROUP);
        adapter.admin().expect(command(0xFFFF, SR_IOV, NO_MEMBER, ""), INVALID_GROUP);
        adapter.admin().accept(listQuery(SELF));
        adapter.resize(1);
        adapter.admin().accept(listUse(SR_IOV, Adapter.ALL_PARTS_OPCODES));
        adapter.admin().expect(stop(1), OK);
        adapter.resize(0);
        adapter.admin().expect(stop(1), INVALID_GROUP);
    }

    @Test
    @Rule("D11")
    void d11MembersHaveTheIdsOneToNumVfs() throws IOException {
        Adapter adapter = emulator.adapter(3).ready();
        for (long id : new long[] {1, 2, 3}) {
            adapter.admin().expect(resume(id), OK);
        }
        for (long id : new long[] {0, 4, 255, 256 + 1, 0x1_0000_0001L, 1L << 63 | 1, -1}) {
            adapter.admin().expect(resume(id), INVALID_MEMBER);
            adapter.admin().expect(create(id, 0, GET), INVALID_MEMBER);
            adapter.admin().expect(command(0x10, SR_IOV, id, "00"), INVALID_MEMBER);
        }
        adapter.resize(1);
        adapter.admin().expect(resume(2), INVALID_MEMBER);
        adapter.admin().expect(resume(1), OK);
        adapter.resize(2);
        adapter.admin().expect(resume(2), OK);
    }
}
