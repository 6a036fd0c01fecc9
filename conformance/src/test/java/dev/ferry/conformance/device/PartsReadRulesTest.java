// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.COUNT;
import static dev.ferry.conformance.harness.Commands.GET;
import static dev.ferry.conformance.harness.Commands.LIST;
import static dev.ferry.conformance.harness.Commands.OK;
import static dev.ferry.conformance.harness.Commands.SIZE;
import static dev.ferry.conformance.harness.Commands.SR_IOV;
import static dev.ferry.conformance.harness.Commands.create;
import static dev.ferry.conformance.harness.Commands.getAll;
import static dev.ferry.conformance.harness.Commands.getSelected;
import static dev.ferry.conformance.harness.Commands.listQuery;
import static dev.ferry.conformance.harness.Commands.metadata;
import static dev.ferry.conformance.harness.Part.DEVICE_STATUS;
import static dev.ferry.conformance.harness.Part.DEV_FEATURES;
import static dev.ferry.conformance.harness.Part.DRV_FEATURES;
import static dev.ferry.conformance.harness.Part.NET_CVQ_CFG;
import static dev.ferry.conformance.harness.Part.PCI_COMMON_CFG;
import static dev.ferry.conformance.harness.Part.VQ_CFG;
import static dev.ferry.conformance.harness.Part.VQ_NOTIFY_CFG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.Emulator;
import dev.ferry.conformance.harness.GuestDriver;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.harness.Part;
import dev.ferry.conformance.harness.PciView;
import dev.ferry.conformance.table.Rule;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Virtio 1.4, "Device parts" and the commands for them: what a device must do when they are read. */
class PartsReadRulesTest {

    private static final String NO_SELECTOR = Hex.zeros(8);
    private static final int SPACE = 1 << 16;
    private static final int OPTIONAL = 1;
    private static final int HEADER_BYTES = 16;

    @RegisterExtension
    final Emulator emulator = new Emulator();

    @Test
    @Rule("D41")
    void d41AllCommandsForPartsAreThere() {
        for (Adapter adapter : List.of(emulator.strict(1), emulator.adapter(1))) {
            long offered = Hex.number(adapter.admin().accept(listQuery(SR_IOV)).result(), 0, 8);
            assertThat(offered >>> 0x0a & 0xFF).as("opcodes 0x0a to 0x11").isEqualTo(0xFF);
            Scenario.everyCommand(adapter, (command, space) -> adapter.admin().accept(command, space));
        }
    }

    @Test
    @Rule("D42")
    void d42PartsCanBeReadAgainAndAgain() {
        Adapter adapter = DrivenVf.of(emulator);
        String image = DrivenVf.image(adapter);
        Part one = adapter.parts(1, DrivenVf.READER).get(3);
        for (int round = 0; round < 50; round++) {
            assertThat(DrivenVf.image(adapter)).isEqualTo(image);
            adapter.admin().expect(getSelected(1, DrivenVf.READER, one.header()), OK + one.hex());
        }
        adapter.resume(1);
        assertThat(DrivenVf.image(adapter)).as("of the device that runs").isEqualTo(image);
    }

    @Test
    @Rule("D43")
    void d43PartsComeInTheOrderOfTheTable() {
        for (int queuePairs : new int[] {1, 3}) {
            Adapter adapter = emulator.adapter(Map.of("members", 1, "queue.pairs", queuePairs)).ready();
            PartOrder.check(adapter.parts(1));
            new GuestDriver(adapter.function(1)).start();
            List<Part> parts = adapter.parts(1);
            PartOrder.check(parts);
            List<Part> shuffled = new ArrayList<>(parts);
            Collections.shuffle(shuffled, new Random(43));
            adapter.admin().accept(create(1, DrivenVf.READER, GET));
            byte[] answer = adapter.admin()
                    .accept(getSelected(1, DrivenVf.READER, Part.headers(shuffled)), SPACE)
                    .result();
            assertThat(Hex.of(answer)).as("asked for in another order").isEqualTo(Part.hex(parts));
        }
    }

    @Test
    @Rule("D43")
    void d43EveryPartOfTheTableIsThere() {
        Adapter adapter = DrivenVf.of(emulator);
        List<Part> parts = adapter.parts(1, DrivenVf.READER);
        PciView pci = new PciView(adapter.function(1));
        int queues = (int) pci.common(GuestDriver.NUM_QUEUES, 2);
        assertThat(queues).isEqualTo(3);
        assertThat(values(parts, DEV_FEATURES)).containsExactly(Hex.le64(GuestDriver.offered(pci)));
        assertThat(parts.get(0).flags()).as("flags of the device features").isEqualTo(OPTIONAL);
        assertThat(values(parts, DRV_FEATURES)).containsExactly(Hex.le64(GuestDriver.FEATURES));
        assertThat(values(parts, DEVICE_STATUS)).containsExactly("0f");
        assertThat(Part.valueOf(parts, PCI_COMMON_CFG, Part.field(GuestDriver.NUM_QUEUES))).isEqualTo(Hex.le16(queues));
        assertThat(Part.valueOf(parts, PCI_COMMON_CFG, Part.field(GuestDriver.CONFIG_MSIX_VECTOR))).isEqualTo("0000");
        for (int queue = 0; queue < queues; queue++) {
            long area = 0x40_0000L + 0x2000L * queue;
            assertThat(Part.valueOf(parts, VQ_CFG, Part.queue(queue)))
                    .isEqualTo(Hex.le16(16) + Hex.le16(queue + 1) + Hex.le16(1) + Hex.le16(0) + Hex.le64(area)
                            + Hex.le64(area + 0x100) + Hex.le64(area + 0x100 + 6 + 32 + 7 & ~7L));
            pci.common(GuestDriver.QUEUE_SELECT, 2, queue);
            assertThat(Part.valueOf(parts, VQ_NOTIFY_CFG, Part.queue(queue)))
                    .isEqualTo(Hex.le16((int) pci.common(GuestDriver.QUEUE_NOTIFY_OFF, 2)) + Hex.zeros(6));
        }
        assertThat(Part.valueOf(parts, NET_CVQ_CFG, Part.control(0, 0))).as("promiscuous").isEqualTo("00");
        assertThat(Part.valueOf(parts, NET_CVQ_CFG, Part.control(0, 1))).as("all multicast").isEqualTo("01");
        assertThat(Part.valueOf(parts, NET_CVQ_CFG, Part.control(1, 0)))
                .isEqualTo(Hex.plain("01000000 02aabbccddee 02000000 01005e000001 01005e000002"));
        assertThat(Part.valueOf(parts, NET_CVQ_CFG, Part.control(2, 0))).as("VLANs").isEqualTo("0700fe0f");
        byte[] mac = new byte[6];
        for (int at = 0; at < mac.length; at++) {
            mac[at] = (byte) pci.device(at, 1);
        }
        assertThat(Part.valueOf(parts, NET_CVQ_CFG, Part.control(1, 1))).isEqualTo(Hex.of(mac));
    }

    private static List<String> values(List<Part> parts, int type) {
        return parts.stream().filter(part -> part.type() == type).map(Part::value).toList();
    }

    @Test
    @Rule("D55")
    void d55WantedPartsThatAreNotThereAreLeftOut() {
        Adapter adapter = DrivenVf.of(emulator);
        List<Part> parts = adapter.parts(1, DrivenVf.READER);
        Part status = Part.of(DEVICE_STATUS, NO_SELECTOR, "0f");
        String missing = Part.of(VQ_CFG, Part.queue(99), "").header()
                + Part.of(PCI_COMMON_CFG, Part.field(5), "").header()
                + Part.of(NET_CVQ_CFG, Part.control(5, 0), "").header()
                + Part.of(NET_CVQ_CFG, Part.control(4, 0), "").header()
                + Part.of(0x5FF, NO_SELECTOR, "").header()
                + Part.of(0x1234, NO_SELECTOR, "").header();
        adapter.admin().expect(getSelected(1, DrivenVf.READER, missing), OK);
        adapter.admin().expect(getSelected(1, DrivenVf.READER, ""), OK);
        adapter.admin().expect(getSelected(1, DrivenVf.READER, missing + status.header() + missing), OK + status.hex());
        adapter.admin().expect(getSelected(1, DrivenVf.READER, status.header(99)), OK + status.hex());
        adapter.admin().expect(
                getSelected(1, DrivenVf.READER, status.header() + missing + Part.headers(parts)),
                SPACE,
                OK + Part.hex(parts));
    }

    @Test
    @Rule("D56")
    void d56AnswersHaveEachPartBehindItsPredecessors() {
        Adapter adapter = emulator.adapter(1).ready();
        adapter.admin().accept(create(1, DrivenVf.READER, GET));
        expectSameEverywhere(adapter);
        new GuestDriver(adapter.function(1)).start();
        expectSameEverywhere(adapter);
        adapter.stop(1);
        expectSameEverywhere(adapter);
    }

    /** Metadata and parts agree, and are in order. */
    private static void expectSameEverywhere(Adapter adapter) {
        List<Part> parts = adapter.parts(1, DrivenVf.READER);
        PartOrder.check(parts);
        byte[] list = adapter.admin().accept(metadata(1, DrivenVf.READER, LIST), SPACE).result();
        List<Part> headers = Part.readHeaders(Arrays.copyOfRange(list, 8, list.length));
        assertThat(Part.headers(headers)).isEqualTo(Part.headers(parts));
        String count = Hex.le32(parts.size()) + Hex.zeros(4);
        assertThat(Hex.of(list)).startsWith(count);
        adapter.admin().expect(metadata(1, DrivenVf.READER, COUNT), OK + count);
        byte[] size = adapter.admin().accept(metadata(1, DrivenVf.READER, SIZE)).result();
        assertThat(Hex.of(size)).hasSize(16).endsWith("00000000");
        int bytes = Part.hex(parts).length() / 2;
        assertThat(Hex.number(size, 0, 4)).isGreaterThanOrEqualTo(bytes);
        assertThat(adapter.admin().accept(getAll(1, DrivenVf.READER), 8 + (int) Hex.number(size, 0, 4)).used())
                .isEqualTo(8 + bytes);
        assertThat(list).hasSize(8 + HEADER_BYTES * parts.size());
    }
}
