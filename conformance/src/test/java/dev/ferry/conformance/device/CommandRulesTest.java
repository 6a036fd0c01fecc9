// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.INVALID_GROUP;
import static dev.ferry.conformance.harness.Commands.INVALID_MEMBER;
import static dev.ferry.conformance.harness.Commands.INVALID_OPCODE;
import static dev.ferry.conformance.harness.Commands.command;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.Emulator;
import dev.ferry.conformance.table.Rule;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Virtio 1.4, "Group administration commands": what a device must do. */
class CommandRulesTest {

    private static final long NO_MEMBER = -1;

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
            adapter.admin().expect(command(opcode, 1, NO_MEMBER, ""), INVALID_OPCODE);
            adapter.admin().expect(command(opcode, 0, NO_MEMBER, ""), INVALID_OPCODE);
        }
        adapter.admin().expect(command(0x11, 1, NO_MEMBER, "ff"), INVALID_MEMBER);
        adapter.admin().expect(command(0x0a, 1, 3, "ff"), INVALID_MEMBER);
        adapter.admin().expect(command(0x07, 0, 1, ""), INVALID_MEMBER);
    }
}
