// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.driver;

import static dev.ferry.conformance.harness.Commands.OK;
import static dev.ferry.conformance.harness.Commands.SR_IOV;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.driver.ScriptedQueue.Reply;
import dev.ferry.conformance.harness.Framework.Waiting;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.table.Rule;
import dev.ferry.device.DeviceException;
import dev.ferry.legacy.LegacyIo;
import java.util.Optional;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Virtio 1.4, "Legacy interface" of the group administration commands: what a driver must do. */
class LegacyDriverRulesTest {

    private static final int COMMON_WRITE = 0x02;
    private static final int COMMON_READ = 0x03;
    private static final int DEVICE_WRITE = 0x04;
    private static final int DEVICE_READ = 0x05;
    private static final int NOTIFY_INFO = 0x06;
    private static final int HEADER_BYTES = 24;
    private static final int WRITE_DATA_OFFSET = 8;
    private static final String END = Hex.zeros(16);
    /** What the device answers to every read, first bytes first. */
    private static final String CONTENT = "44332211";

    @RegisterExtension
    final Provider provider = new Provider();

    private static String entry(int flags, int bar, long offset) {
        return Hex.u8(flags) + Hex.u8(bar) + Hex.zeros(6) + Hex.le64(offset);
    }

    /** A device with legacy commands, which gives these notification addresses. */
    private static ScriptedFunctions device(String notifyInfo) {
        ScriptedFunctions device = new ScriptedFunctions(new StrictOwner(1, 9, 9));
        device.device.offer(SR_IOV, Hex.le64(0x3FFFFL));
        device.script(readable -> switch (Exchange.opcode(readable)) {
            case COMMON_READ, DEVICE_READ -> Optional.of(Reply.of(OK + CONTENT));
            case COMMON_WRITE, DEVICE_WRITE -> Optional.of(Reply.of(OK));
            case NOTIFY_INFO -> Optional.of(Reply.of(OK + notifyInfo));
            default -> Optional.empty();
        });
        return device;
    }

    private LegacyIo open(ScriptedFunctions device) throws DeviceException {
        Provider.Owner owner = provider.announceReady(device, 1);
        LegacyIo io = owner.legacy();
        io.writeConfig(0x04, 2, 0x0007);
        return io;
    }

    private static Exchange last(ScriptedFunctions device) {
        return device.log().get(device.log().size() - 1);
    }

    @Test
    @Rule("R12")
    void r12ReadsAreLittleEndianAndOfOneField() throws DeviceException {
        ScriptedFunctions device = device(entry(2, ScriptedFunctions.BAR, 0x100) + END.repeat(3));
        LegacyIo io = open(device);
        int[][] common = {{0, 4}, {4, 4}, {8, 4}, {12, 2}, {14, 2}, {18, 1}, {19, 1}};
        long[] values = {0, 0x44, 0x3344, 0, 0x1122_3344L};
        for (int[] field : common) {
            int before = device.log().size();
            assertThat(io.readBar0(field[0], field[1])).as("field at %d", field[0]).isEqualTo(values[field[1]]);
            assertThat(device.log()).as("one command").hasSize(before + 1);
            expectAccess(last(device), COMMON_READ, field[0]);
            assertThat(last(device).space()).isGreaterThanOrEqualTo(8 + field[1]);
        }
        io.readBar0(20, 1);
        expectAccess(last(device), DEVICE_READ, 0);
        io.readBar0(26, 2);
        expectAccess(last(device), DEVICE_READ, 6);
        device.msix(true);
        io.readBar0(20, 2);
        expectAccess(last(device), COMMON_READ, 20);
        io.readBar0(30, 2);
        expectAccess(last(device), DEVICE_READ, 6);
    }

    private static void expectAccess(Exchange exchange, int opcode, int offset) {
        assertThat(exchange.opcode()).isEqualTo(opcode);
        assertThat(exchange.group()).isEqualTo(SR_IOV);
        assertThat(exchange.member()).isEqualTo(1);
        assertThat(exchange.data()[0] & 0xFF).as("offset").isEqualTo(offset);
    }

    @Test
    @Rule("R12")
    void r12WritesAreLittleEndianAndOfOneField() throws DeviceException {
        ScriptedFunctions device = device(entry(2, ScriptedFunctions.BAR, 0x100) + END.repeat(3));
        LegacyIo io = open(device);
        int[][] common = {{4, 4}, {8, 4}, {14, 2}, {18, 1}};
        for (int[] field : common) {
            int before = device.log().size();
            io.writeBar0(field[0], field[1], 0x1122_3344L);
            assertThat(device.log()).as("one command").hasSize(before + 1);
            expectAccess(last(device), COMMON_WRITE, field[0]);
            String data = Hex.of(last(device).readable()).substring(2 * (HEADER_BYTES + 1));
            assertThat(data)
                    .startsWith(Hex.zeros(WRITE_DATA_OFFSET - 1) + CONTENT.substring(0, 2 * field[1]))
                    .matches("0{14}[1-4]+(00)*");
        }
        io.writeBar0(20, 1, 0x99);
        expectAccess(last(device), DEVICE_WRITE, 0);
    }

    @Test
    @Rule("R13")
    void r13NotificationsGoToTheNotificationAddress() throws DeviceException {
        ScriptedFunctions device = device(entry(2, ScriptedFunctions.BAR, 0x100) + END.repeat(3));
        LegacyIo io = open(device);
        int commands = device.log().size();
        io.writeBar0(16, 2, 1);
        io.writeBar0(16, 2, 0x0203);
        assertThat(device.writes()).containsExactly("member 1 BAR 2 0x100/2 = 1", "member 1 BAR 2 0x100/2 = 515");
        assertThat(device.log()).as("no command").hasSize(commands);
    }

    @Test
    @Rule("R13")
    void r13InvalidEntriesAreSkipped() throws DeviceException {
        String[] invalid = {
            entry(7, ScriptedFunctions.BAR, 0x40),
            entry(0x82, ScriptedFunctions.BAR, 0x40),
            entry(2, 0, 0x40),
            entry(2, 6, 0x40),
            entry(2, 0xFF, 0x40),
            entry(2, 3, 0x40),
            entry(2, ScriptedFunctions.BAR, 0x41),
            entry(2, ScriptedFunctions.BAR, ScriptedFunctions.BAR_BYTES),
            entry(2, ScriptedFunctions.BAR, -2)
        };
        for (String skipped : invalid) {
            ScriptedFunctions device = device(skipped + entry(2, ScriptedFunctions.BAR, 0xFFE) + END.repeat(2));
            open(device).writeBar0(16, 2, 5);
            assertThat(device.writes()).as(skipped).containsExactly("member 1 BAR 2 0xffe/2 = 5");
            provider.leaveAll();
        }
    }

    @Test
    @Rule("R13")
    void r13TheListEndsAtFlagsZero() {
        ScriptedFunctions device = device(END + entry(2, ScriptedFunctions.BAR, 0x100) + END.repeat(2));
        Provider.Owner owner = provider.announceReady(device, 1);
        owner.awaitCommand(NOTIFY_INFO);
        // Another owner, which comes behind the first one, shows that the bundle has done with it.
        ScriptedFunctions other = device(entry(2, ScriptedFunctions.BAR, 0x100) + END.repeat(3));
        Provider.Owner later = provider.announceReady(other, 1);
        Waiting.untilTrue("the other's interface", later::hasLegacy);
        assertThat(owner.hasLegacy()).isFalse();
        assertThat(device.writes()).isEmpty();
    }

    @Test
    @Rule("R9")
    void r9ALegacyResultBehindTheUsedLengthReadsAsZero() throws DeviceException {
        ScriptedFunctions device = device(entry(2, ScriptedFunctions.BAR, 0x100) + END.repeat(3));
        LegacyIo io = open(device);
        device.script(readable -> Optional.of(new Reply(Hex.plain(OK + CONTENT), 8 + 1)));
        assertThat(io.readBar0(0, 4)).isEqualTo(0x44);
        assertThat(io.readBar0(12, 2)).isEqualTo(0x44);
    }

    @Test
    @Rule("R11")
    void r11LegacyAccessesAreTriedAgain() throws DeviceException {
        ScriptedFunctions device = device(entry(2, ScriptedFunctions.BAR, 0x100) + END.repeat(3));
        LegacyIo io = open(device);
        int before = device.log().size();
        device.script(readable -> Optional.of(Reply.of(
                device.log().size() < before + 2 ? "0b00 0700 00000000" : OK + CONTENT)));
        assertThat(io.readBar0(0, 4)).isEqualTo(0x1122_3344L);
        assertThat(device.log()).hasSize(before + 3);
    }
}
