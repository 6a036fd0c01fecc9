// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.EEXIST;
import static dev.ferry.conformance.harness.Commands.ENOSPC;
import static dev.ferry.conformance.harness.Commands.ENXIO;
import static dev.ferry.conformance.harness.Commands.GET;
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
import static dev.ferry.conformance.harness.Commands.destroy;
import static dev.ferry.conformance.harness.Commands.deviceCapGet;
import static dev.ferry.conformance.harness.Commands.driverCapSet;
import static dev.ferry.conformance.harness.Commands.listQuery;
import static dev.ferry.conformance.harness.Commands.listUse;
import static dev.ferry.conformance.harness.Commands.query;
import static dev.ferry.conformance.harness.Commands.resume;
import static dev.ferry.conformance.harness.Commands.stop;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.AdminVirtqueue;
import dev.ferry.conformance.harness.Answer;
import dev.ferry.conformance.harness.Emulator;
import dev.ferry.conformance.harness.GuestDriver;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.harness.PciView;
import dev.ferry.conformance.table.Rule;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** The owner device as a PCI function: its reset, its VFs, and its administration virtqueue. */
class OwnerRulesTest {

    private static final int MEMBERS = 3;

    @RegisterExtension
    final Emulator emulator = new Emulator();

    /** How an owner device is reset. */
    enum Reset {
        DEVICE_STATUS,
        FUNCTION_LEVEL;

        /** Performs it; VFs are enabled behind it as they were. */
        void perform(PciView owner) {
            switch (this) {
                case DEVICE_STATUS -> owner.common(GuestDriver.DEVICE_STATUS, 1, 0);
                case FUNCTION_LEVEL -> {
                    owner.functionLevelReset();
                    owner.enable();
                    owner.virtualFunctions(true, MEMBERS);
                }
            }
        }
    }

    private static PciView owner(Adapter adapter) {
        PciView owner = new PciView(adapter.device().ownerFunction());
        owner.enable();
        return owner;
    }

    @ParameterizedTest
    @EnumSource
    @Rule("D7")
    void d7OnlyTheListCommandsAreLegalAfterAResetOfTheOwner(Reset reset) {
        Adapter adapter = emulator.strict(MEMBERS).ready();
        reset.perform(owner(adapter));
        for (int opcode = 0x02; opcode <= 0x20; opcode++) {
            for (int group : new int[] {SELF, SR_IOV}) {
                String command = command(opcode, group, group, "");
                adapter.admin().expect(command, INVALID_OPCODE);
            }
        }
        adapter.ready();
    }

    @ParameterizedTest
    @EnumSource
    @Rule("D10")
    void d10AListIsAcceptedAgainAfterAResetOfTheOwner(Reset reset) {
        Adapter adapter = emulator.strict(MEMBERS).ready();
        String before = adapter.admin().accept(listQuery(SR_IOV)).hex();
        adapter.admin().accept(listUse(SR_IOV, 0));
        adapter.admin().expect(listUse(SR_IOV, 3), INVALID_OPCODE);
        reset.perform(owner(adapter));
        adapter.admin().expect(listQuery(SR_IOV), before);
        adapter.admin().expect(listUse(SR_IOV, Adapter.ALL_PARTS_OPCODES), OK);
        adapter.admin().expect(listUse(SELF, Adapter.ALL_SELF_OPCODES), OK);
    }

    @Test
    @Rule("D11")
    void d11TheGroupFollowsVfEnable() {
        Adapter adapter = emulator.strict(MEMBERS).ready();
        PciView owner = owner(adapter);
        owner.virtualFunctions(false, 0);
        adapter.admin().expect(listQuery(SR_IOV), INVALID_GROUP);
        adapter.admin().expect(stop(1), INVALID_GROUP);
        adapter.admin().accept(capIdListQuery());
        owner.virtualFunctions(true, 2);
        adapter.admin().expect(resume(2), OK);
        adapter.admin().expect(resume(3), INVALID_MEMBER);
        Adapter linux = emulator.adapter(MEMBERS).ready();
        owner(linux).virtualFunctions(false, 0);
        assertThat(linux.admin().send(stop(1)).status()).isNotZero();
    }

    @ParameterizedTest
    @EnumSource
    @Rule("D29")
    void d29AResetOfTheOwnerClearsTheCapability(Reset reset) {
        Adapter adapter = emulator.adapter(MEMBERS).ready(7, 7);
        reset.perform(owner(adapter));
        adapter.admin().accept(listUse(SR_IOV, Adapter.ALL_PARTS_OPCODES));
        adapter.admin().accept(listUse(SELF, Adapter.ALL_SELF_OPCODES));
        adapter.admin().expect(deviceCapGet(0), OK + "ffff");
        assertThat(adapter.admin().send(create(1, 0, GET)).status()).as("limits count as 0").isEqualTo(ENOSPC);
        assertThat(adapter.admin().send(create(1, 0, SET)).status()).isEqualTo(ENOSPC);
        adapter.admin().expect(driverCapSet(1, 1), OK);
        adapter.admin().expect(create(1, 0, GET), OK);
    }

    @ParameterizedTest
    @EnumSource
    @Rule("D40")
    void d40AResetOfTheOwnerDestroysAllObjects(Reset reset) {
        Adapter adapter = emulator.adapter(MEMBERS).ready();
        for (int id = 0; id < 30; id++) {
            adapter.admin().expect(create(1 + id % MEMBERS, id, id % 2), OK);
        }
        assertThat(adapter.objects()).isEqualTo(30);
        reset.perform(owner(adapter));
        adapter.expectNoObjects();
        adapter.ready();
        for (int id = 0; id < 30; id++) {
            assertThat(adapter.admin().send(query(1 + id % MEMBERS, id)).status()).isEqualTo(ENXIO);
            adapter.admin().expect(create(1, id, GET), OK);
        }
    }

    @Test
    @Rule("D12")
    void d12TheVirtqueueTakesShortAndLongBuffers() {
        Adapter adapter = emulator.adapter(1);
        AdminVirtqueue queue = new AdminVirtqueue(adapter.device().ownerFunction());
        String list = adapter.admin().send(listQuery(SELF)).hex();
        for (int length : new int[] {1, 2, 4, 16, 23, 24}) {
            assertThat(queue.send(listQuery(SELF).substring(0, 2 * length), 64).hex()).isEqualTo(list);
        }
        assertThat(queue.send(listQuery(SELF) + "ff".repeat(100), 64).hex()).isEqualTo(list);
        for (int space = 1; space <= 16; space++) {
            Answer answer = queue.send(listQuery(SELF), space);
            assertThat(answer.hex()).as("in %d bytes", space).isEqualTo(list.substring(0, 2 * space));
        }
        assertThat(queue.send(listQuery(SELF), 4096).used()).isEqualTo(16);
    }

    @Test
    @Rule("D15")
    void d15CommandsOfTheVirtqueueTakeEffectInQueueOrder() {
        Adapter adapter = emulator.adapter(1);
        AdminVirtqueue queue = new AdminVirtqueue(adapter.device().ownerFunction());
        adapter.ready();
        List<String> commands = List.of(
                create(1, 7, GET), create(1, 7, GET), query(1, 7), destroy(1, 7), destroy(1, 7), query(1, 7),
                create(1, 7, SET));
        int interrupts = queue.interrupts().size();
        List<Integer> statuses = queue.send(commands, 16).stream().map(Answer::status).toList();
        assertThat(statuses).containsExactly(0, EEXIST, 0, 0, ENXIO, ENXIO, 0);
        assertThat(queue.interrupts()).hasSizeGreaterThan(interrupts);
        adapter.admin().expect(query(1, 7), OK + "01" + Hex.zeros(7));
    }
}
