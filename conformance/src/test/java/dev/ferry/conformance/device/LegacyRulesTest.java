// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.EINVAL;
import static dev.ferry.conformance.harness.Commands.INVALID_OPCODE;
import static dev.ferry.conformance.harness.Commands.OK;
import static dev.ferry.conformance.harness.Commands.SR_IOV;
import static dev.ferry.conformance.harness.Commands.listQuery;
import static dev.ferry.conformance.harness.Commands.listUse;
import static dev.ferry.conformance.harness.Commands.toMember;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.Answer;
import dev.ferry.conformance.harness.Emulator;
import dev.ferry.conformance.harness.GuestDriver;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.harness.Part;
import dev.ferry.conformance.harness.PciView;
import dev.ferry.conformance.harness.SplitQueue;
import dev.ferry.conformance.table.Rule;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Virtio 1.4, "Legacy interface" of the group administration commands: what a device must do. */
class LegacyRulesTest {

    private static final int COMMON_WRITE = 0x02;
    private static final int COMMON_READ = 0x03;
    private static final int DEVICE_WRITE = 0x04;
    private static final int DEVICE_READ = 0x05;
    private static final int NOTIFY_INFO = 0x06;
    private static final long CONFIG_COMMANDS = 0x3CL;

    /** Fields of the legacy common configuration. */
    private static final int HOST_FEATURES = 0;
    private static final int GUEST_FEATURES = 4;
    private static final int QUEUE_PFN = 8;
    private static final int QUEUE_SIZE = 12;
    private static final int QUEUE_SELECT = 14;
    private static final int QUEUE_NOTIFY = 16;
    private static final int STATUS = 18;

    private static final int PAGE = 4096;
    private static final int LEGACY_HEADER_BYTES = 10;
    private static final int NOTIFY_ENTRY_BYTES = 16;

    @RegisterExtension
    final Emulator emulator = new Emulator();

    private Adapter adapter() {
        Adapter adapter = emulator.adapter(1);
        adapter.admin().accept(listUse(SR_IOV, offered(adapter)));
        adapter.ready();
        adapter.admin().accept(listUse(SR_IOV, offered(adapter)));
        return adapter;
    }

    private static long offered(Adapter adapter) {
        return Hex.number(adapter.admin().accept(listQuery(SR_IOV)).result(), 0, 8);
    }

    private static Answer read(Adapter adapter, int opcode, int offset, int bytes) {
        return adapter.admin().send(toMember(opcode, 1, Hex.u8(offset)), 8 + bytes);
    }

    private static Answer write(Adapter adapter, int opcode, int offset, String bytes) {
        return adapter.admin().send(toMember(opcode, 1, Hex.u8(offset) + Hex.zeros(7) + Hex.plain(bytes)), 8);
    }

    private static void expectRead(Adapter adapter, int opcode, int offset, String bytes) {
        String hex = Hex.plain(bytes);
        assertThat(read(adapter, opcode, offset, hex.length() / 2).hex())
                .as("%d bytes at %d", hex.length() / 2, offset)
                .isEqualTo(Hex.plain(OK) + hex);
    }

    private static void common(Adapter adapter, int offset, String bytes) {
        assertThat(write(adapter, COMMON_WRITE, offset, bytes).hex()).isEqualTo(Hex.plain(OK));
    }

    @Test
    @Rule("D17")
    void d17TheFourCommandsAreThereAllOrNone() {
        Adapter with = emulator.adapter(1);
        assertThat(offered(with) & CONFIG_COMMANDS).isEqualTo(CONFIG_COMMANDS);
        Adapter without = emulator.adapter(Map.of("members", 1, "legacy", false));
        assertThat(offered(without) & (CONFIG_COMMANDS | 1L << NOTIFY_INFO)).isZero();
        without.ready();
        for (int opcode = COMMON_WRITE; opcode <= NOTIFY_INFO; opcode++) {
            without.admin().expect(toMember(opcode, 1, "00"), INVALID_OPCODE);
        }
    }

    @Test
    @Rule("D18")
    void d18LegacyDataIsLittleEndian() {
        Adapter adapter = adapter();
        PciView pci = new PciView(adapter.function(1));
        pci.enable();
        common(adapter, STATUS, "03");
        common(adapter, GUEST_FEATURES, "20800000");
        expectRead(adapter, COMMON_READ, GUEST_FEATURES, "20800000");
        assertThat(featuresPart(adapter)).as("bits 5 and 15").isEqualTo(Hex.le64(1 << 5 | 1 << 15));
        common(adapter, QUEUE_SELECT, "0100");
        assertThat(pci.common(GuestDriver.QUEUE_SELECT, 2)).isEqualTo(1);
        common(adapter, QUEUE_PFN, "34120000");
        expectRead(adapter, COMMON_READ, QUEUE_PFN, "34120000");
        assertThat(pci.common(GuestDriver.QUEUE_DESC, 8)).isEqualTo(0x1234L * PAGE);
        expectRead(adapter, COMMON_READ, QUEUE_SIZE, Hex.le16((int) pci.common(GuestDriver.QUEUE_SIZE, 2)));
        pci.common(GuestDriver.DEVICE_FEATURE_SELECT, 4, 0);
        long own = pci.common(GuestDriver.DEVICE_FEATURE, 4);
        long legacy = Hex.number(read(adapter, COMMON_READ, HOST_FEATURES, 4).result(), 0, 4);
        assertThat(legacy & ~own).as("features that the device does not have otherwise").isZero();
        assertThat(legacy & 1 << 5).as("VIRTIO_NET_F_MAC").isNotZero();
    }

    private static String featuresPart(Adapter adapter) {
        return adapter.part(1, Part.of(Part.DRV_FEATURES, Hex.zeros(8), "").name()).value();
    }

    @Test
    @Rule("D19")
    void d19AccessesThatAreNotOneWholeFieldFail() {
        Adapter adapter = adapter();
        common(adapter, STATUS, "03");
        String before = Part.hex(adapter.parts(1));
        int[][] common = {
            {0, 1}, {0, 2}, {0, 3}, {0, 8}, {1, 4}, {2, 4}, {4, 2}, {6, 4}, {8, 2}, {10, 4}, {12, 1}, {12, 4}, {13, 2},
            {14, 1}, {14, 4}, {16, 4}, {17, 1}, {18, 2}, {19, 2}, {20, 2}, {24, 1}, {40, 4}, {255, 1}, {0, 0}
        };
        for (int[] access : common) {
            String what = "%d bytes at %d".formatted(access[1], access[0]);
            // Space of a whole word may hold padding behind a field, so that 8 bytes at a field are one.
            if (access[1] != 8) {
                assertThat(read(adapter, COMMON_READ, access[0], access[1]).status())
                        .as("read " + what)
                        .isEqualTo(EINVAL);
            }
            assertThat(write(adapter, COMMON_WRITE, access[0], "ff".repeat(access[1])).status())
                    .as("write " + what)
                    .isEqualTo(EINVAL);
        }
        int[][] device = {{5, 2}, {4, 4}, {6, 4}, {200, 1}, {255, 1}, {0, 0}, {0, 9}};
        for (int[] access : device) {
            String what = "%d bytes at %d of the device".formatted(access[1], access[0]);
            assertThat(read(adapter, DEVICE_READ, access[0], access[1]).status()).as("read " + what).isEqualTo(EINVAL);
            assertThat(write(adapter, DEVICE_WRITE, access[0], "ff".repeat(access[1])).status())
                    .as("write " + what)
                    .isEqualTo(EINVAL);
        }
        assertThat(Part.hex(adapter.parts(1))).isEqualTo(before);
    }

    @Test
    @Rule("D20")
    void d20LegacyAccessesActOnTheDevice() {
        Adapter adapter = adapter();
        PciView pci = new PciView(adapter.function(1));
        pci.enable();
        expectRead(adapter, COMMON_READ, STATUS, "00");
        common(adapter, STATUS, "01");
        common(adapter, STATUS, "03");
        assertThat(pci.common(GuestDriver.DEVICE_STATUS, 1)).as("the other interface").isEqualTo(3);
        String mac = read(adapter, DEVICE_READ, 0, 6).resultHex();
        for (int at = 0; at < 6; at++) {
            assertThat(Hex.u8((int) pci.device(at, 1))).isEqualTo(mac.substring(2 * at, 2 * at + 2));
        }
        assertThat(write(adapter, DEVICE_WRITE, 0, "02aabbccddee").status()).isZero();
        assertThat(pci.device(5, 1)).isEqualTo(0xEE);
        common(adapter, QUEUE_SELECT, "0100");
        common(adapter, QUEUE_PFN, "00040000");
        assertThat(pci.common(GuestDriver.QUEUE_ENABLE, 2)).isEqualTo(1);
        common(adapter, HOST_FEATURES, "ffffffff");
        common(adapter, STATUS, "00");
        expectRead(adapter, COMMON_READ, STATUS, "00");
        expectRead(adapter, COMMON_READ, QUEUE_PFN, "00000000");
        expectRead(adapter, COMMON_READ, GUEST_FEATURES, "00000000");
        common(adapter, QUEUE_SELECT, "ff00");
        expectRead(adapter, COMMON_READ, QUEUE_SIZE, "0000");
    }

    /** A guest that has set queue 1 up by legacy commands. */
    private static SplitQueue transmitQueue(Adapter adapter, GuestDriver guest) {
        common(adapter, STATUS, "00");
        common(adapter, STATUS, "03");
        common(adapter, GUEST_FEATURES, "00000000");
        common(adapter, QUEUE_SELECT, "0100");
        int size = (int) Hex.number(read(adapter, COMMON_READ, QUEUE_SIZE, 2).result(), 0, 2);
        SplitQueue queue = guest.queueAt(GuestDriver.BASE, size, PAGE);
        common(adapter, QUEUE_PFN, Hex.le32(GuestDriver.BASE / PAGE));
        common(adapter, STATUS, "07");
        return queue;
    }

    private static void post(GuestDriver guest, SplitQueue queue, int number) {
        byte[] packet = new byte[LEGACY_HEADER_BYTES + 60];
        System.arraycopy(GuestDriver.frame(number), 0, packet, LEGACY_HEADER_BYTES, 60);
        queue.offer(guest.buffer(packet), packet.length, false);
    }

    @Test
    @Rule("D20")
    void d20QueueNotifyIsServed() {
        Adapter adapter = adapter();
        List<Integer> sent = sink(adapter);
        GuestDriver guest = new GuestDriver(adapter.function(1));
        SplitQueue queue = transmitQueue(adapter, guest);
        post(guest, queue, 20);
        assertThat(sent).isEmpty();
        common(adapter, QUEUE_NOTIFY, "0100");
        assertThat(sent).containsExactly(20);
        assertThat(queue.used()).isEqualTo(1);
        assertThat(Hex.number(read(adapter, COMMON_READ, 19, 1).result(), 0, 1)).as("ISR status").isEqualTo(1);
        expectRead(adapter, COMMON_READ, 19, "00");
        post(guest, queue, 21);
        common(adapter, QUEUE_NOTIFY, "0100");
        common(adapter, STATUS, "00");
        expectRead(adapter, COMMON_READ, 19, "00");
    }

    private static List<Integer> sink(Adapter adapter) {
        List<Integer> sent = new ArrayList<>();
        adapter.cable(1).connect(frame -> sent.add((int) frame.get(frame.position() + 20)));
        return sent;
    }

    @Test
    @Rule("D21")
    void d21NotifyInfoNamesAddressesThatNotify() {
        Adapter adapter = adapter();
        assertThat(offered(adapter) & CONFIG_COMMANDS).isEqualTo(CONFIG_COMMANDS);
        byte[] info = adapter.admin().accept(toMember(NOTIFY_INFO, 1, ""), 8 + 4 * NOTIFY_ENTRY_BYTES).result();
        assertThat(info).hasSize(4 * NOTIFY_ENTRY_BYTES);
        assertThat(info[3 * NOTIFY_ENTRY_BYTES]).as("flags of the last entry").isZero();
        List<Integer> sent = sink(adapter);
        GuestDriver guest = new GuestDriver(adapter.function(1));
        SplitQueue queue = transmitQueue(adapter, guest);
        int entries = 0;
        for (int at = 0; info[at] != 0; at += NOTIFY_ENTRY_BYTES) {
            int bar = info[at + 1];
            long offset = Hex.number(info, at + 8, 8);
            assertThat(info[at]).as("flags").isIn((byte) 1, (byte) 2);
            assertThat(bar).isBetween(1, 5);
            assertThat(offset % 2).isZero();
            assertThat(Hex.number(info, at + 2, 4) | Hex.number(info, at + 6, 2)).as("padding").isZero();
            assertThat(info[at]).as("an address of the member, which this test can write to").isEqualTo((byte) 2);
            assertThat(offset).isLessThanOrEqualTo(adapter.function(1).barSize(bar) - 2);
            post(guest, queue, 40 + entries);
            adapter.function(1).writeBar(bar, offset, 2, 1);
            entries++;
            assertThat(sent).hasSize(entries).endsWith(39 + entries);
        }
        assertThat(entries).isPositive();
    }

    @Test
    @Rule("D21")
    void d21BarZeroIsHardwiredToZero() {
        Adapter adapter = adapter();
        adapter.function(1).writeConfig(0x10, 4, 0xFFFF_FFFFL);
        assertThat(adapter.function(1).readConfig(0x10, 4)).isZero();
        assertThat(adapter.function(1).barSize(0)).isZero();
        assertThat(new PciView(adapter.function(1)).function().readBar(0, 0, 4)).isEqualTo(0xFFFF_FFFFL);
    }

    @Test
    @Rule("D22")
    void d22TheVfHasTheIdsOfADeviceWithoutALegacyInterface() {
        Adapter adapter = adapter();
        assertThat(adapter.function(1).readConfig(0x00, 2)).as("vendor").isEqualTo(0x1AF4);
        assertThat(adapter.function(1).readConfig(0x02, 2)).as("device").isEqualTo(0x1041);
        assertThat(adapter.function(1).readConfig(0x08, 1)).as("revision").isPositive();
        assertThat(adapter.function(1).readConfig(0x2E, 2)).as("subsystem").isGreaterThanOrEqualTo(0x40);
    }
}
