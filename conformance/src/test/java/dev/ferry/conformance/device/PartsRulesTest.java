// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.COUNT;
import static dev.ferry.conformance.harness.Commands.EINVAL;
import static dev.ferry.conformance.harness.Commands.GET;
import static dev.ferry.conformance.harness.Commands.LIST;
import static dev.ferry.conformance.harness.Commands.OK;
import static dev.ferry.conformance.harness.Commands.SET;
import static dev.ferry.conformance.harness.Commands.SIZE;
import static dev.ferry.conformance.harness.Commands.SR_IOV;
import static dev.ferry.conformance.harness.Commands.create;
import static dev.ferry.conformance.harness.Commands.getAll;
import static dev.ferry.conformance.harness.Commands.getSelected;
import static dev.ferry.conformance.harness.Commands.listQuery;
import static dev.ferry.conformance.harness.Commands.metadata;
import static dev.ferry.conformance.harness.Commands.set;
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

/** Virtio 1.4, "Device parts" and the commands for them: what a device must do. */
class PartsRulesTest {

    private static final String NO_SELECTOR = Hex.zeros(8);
    /** Object 0 of member 1 reads, object 1 writes. */
    private static final int READER = 0;
    private static final int WRITER = 1;
    private static final int SPACE = 1 << 16;
    private static final int OPTIONAL = 1;
    private static final int HEADER_BYTES = 16;

    @RegisterExtension
    final Emulator emulator = new Emulator();

    /** VF 1 is driven and stopped, and has both objects. */
    private Adapter driven() {
        Adapter adapter = emulator.adapter(2).ready();
        GuestDriver driver = new GuestDriver(adapter.function(1)).start();
        driver.control(0, 1, (byte) 1);
        driver.control(2, 0, (byte) 7, (byte) 0);
        driver.control(2, 0, (byte) 0xFE, (byte) 0x0F);
        driver.control(1, 0, Hex.bytes("01000000 02aabbccddee 02000000 01005e000001 01005e000002"));
        return withObjects(adapter);
    }

    private static Adapter withObjects(Adapter adapter) {
        adapter.admin().accept(create(1, READER, GET));
        adapter.admin().accept(create(1, WRITER, SET));
        adapter.stop(1);
        return adapter;
    }

    private static int load(Adapter adapter, String parts) {
        return adapter.admin().send(set(1, WRITER, parts)).status();
    }

    private static String image(Adapter adapter) {
        return Part.hex(adapter.parts(1, READER));
    }

    /** Fails unless the device refuses the parts as invalid and is as before. */
    private static void expectRefused(Adapter adapter, String what, String parts) {
        String before = image(adapter);
        assertThat(load(adapter, parts)).as(what).isEqualTo(EINVAL);
        assertThat(image(adapter)).as("parts behind the refusal of " + what).isEqualTo(before);
    }

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
        Adapter adapter = driven();
        String image = image(adapter);
        Part one = adapter.parts(1, READER).get(3);
        for (int round = 0; round < 50; round++) {
            assertThat(image(adapter)).isEqualTo(image);
            adapter.admin().expect(getSelected(1, READER, one.header()), OK + one.hex());
        }
        adapter.resume(1);
        assertThat(image(adapter)).as("of the device that runs").isEqualTo(image);
    }

    @Test
    @Rule("D43")
    void d43PartsComeInTheOrderOfTheTable() {
        for (int queuePairs : new int[] {1, 3}) {
            Adapter adapter = emulator.adapter(Map.of("members", 1, "queuePairs", queuePairs)).ready();
            PartOrder.check(adapter.parts(1));
            new GuestDriver(adapter.function(1)).start();
            List<Part> parts = adapter.parts(1);
            PartOrder.check(parts);
            List<Part> shuffled = new ArrayList<>(parts);
            Collections.shuffle(shuffled, new Random(43));
            adapter.admin().accept(create(1, READER, GET));
            byte[] answer = adapter.admin()
                    .accept(getSelected(1, READER, Part.headers(shuffled)), SPACE)
                    .result();
            assertThat(Hex.of(answer)).as("asked for in another order").isEqualTo(Part.hex(parts));
        }
    }

    @Test
    @Rule("D43")
    void d43EveryPartOfTheTableIsThere() {
        Adapter adapter = driven();
        List<Part> parts = adapter.parts(1, READER);
        PciView pci = new PciView(adapter.function(1));
        int queues = (int) pci.common(GuestDriver.NUM_QUEUES, 2);
        assertThat(queues).isEqualTo(3);
        assertThat(values(parts, DEV_FEATURES)).containsExactly(Hex.le64(offered(pci)));
        assertThat(parts.get(0).flags()).as("flags of the device features").isEqualTo(OPTIONAL);
        assertThat(values(parts, DRV_FEATURES)).containsExactly(Hex.le64(GuestDriver.FEATURES));
        assertThat(values(parts, DEVICE_STATUS)).containsExactly("0f");
        assertThat(value(parts, PCI_COMMON_CFG, Part.field(GuestDriver.NUM_QUEUES))).isEqualTo(Hex.le16(queues));
        assertThat(value(parts, PCI_COMMON_CFG, Part.field(GuestDriver.CONFIG_MSIX_VECTOR))).isEqualTo("0000");
        for (int queue = 0; queue < queues; queue++) {
            long area = 0x40_0000L + 0x2000L * queue;
            assertThat(value(parts, VQ_CFG, Part.queue(queue)))
                    .isEqualTo(Hex.le16(16) + Hex.le16(queue + 1) + Hex.le16(1) + Hex.le16(0) + Hex.le64(area)
                            + Hex.le64(area + 0x100) + Hex.le64(area + 0x100 + 6 + 32 + 7 & ~7L));
            pci.common(GuestDriver.QUEUE_SELECT, 2, queue);
            assertThat(value(parts, VQ_NOTIFY_CFG, Part.queue(queue)))
                    .isEqualTo(Hex.le16((int) pci.common(GuestDriver.QUEUE_NOTIFY_OFF, 2)) + Hex.zeros(6));
        }
        assertThat(value(parts, NET_CVQ_CFG, Part.control(0, 0))).as("promiscuous").isEqualTo("00");
        assertThat(value(parts, NET_CVQ_CFG, Part.control(0, 1))).as("all multicast").isEqualTo("01");
        assertThat(value(parts, NET_CVQ_CFG, Part.control(1, 0)))
                .isEqualTo(Hex.plain("01000000 02aabbccddee 02000000 01005e000001 01005e000002"));
        assertThat(value(parts, NET_CVQ_CFG, Part.control(2, 0))).as("VLANs").isEqualTo("0700fe0f");
        byte[] mac = new byte[6];
        for (int at = 0; at < mac.length; at++) {
            mac[at] = (byte) pci.device(at, 1);
        }
        assertThat(value(parts, NET_CVQ_CFG, Part.control(1, 1))).isEqualTo(Hex.of(mac));
    }

    private static long offered(PciView pci) {
        pci.common(GuestDriver.DEVICE_FEATURE_SELECT, 4, 1);
        long high = pci.common(GuestDriver.DEVICE_FEATURE, 4);
        pci.common(GuestDriver.DEVICE_FEATURE_SELECT, 4, 0);
        return high << 32 | pci.common(GuestDriver.DEVICE_FEATURE, 4);
    }

    private static List<String> values(List<Part> parts, int type) {
        return parts.stream().filter(part -> part.type() == type).map(Part::value).toList();
    }

    private static String value(List<Part> parts, int type, String selector) {
        return parts.stream()
                .filter(part -> part.name().equals(Part.of(type, selector, "").name()))
                .map(Part::value)
                .findFirst()
                .orElseThrow(() -> new AssertionError("no part %x of %s".formatted(type, selector)));
    }

    @Test
    @Rule("D44")
    void d44PartsForARunningDeviceAreRefused() {
        Adapter adapter = driven();
        String image = image(adapter);
        String reset = Part.of(DEVICE_STATUS, NO_SELECTOR, "00").hex();
        adapter.resume(1);
        expectRefused(adapter, "the parts it has", image);
        expectRefused(adapter, "another status", reset);
        expectRefused(adapter, "no parts", "");
        adapter.stop(1);
        assertThat(load(adapter, image)).isZero();
    }

    @Test
    @Rule("D45")
    void d45PartsCanBeWrittenAgainAndAgain() {
        Adapter adapter = driven();
        String image = image(adapter);
        for (int round = 0; round < 20; round++) {
            assertThat(load(adapter, image)).isZero();
            assertThat(image(adapter)).isEqualTo(image);
        }
        for (int on = 1; on >= 0; on--) {
            for (int command = 0; command <= 1; command++) {
                Part mode = Part.of(NET_CVQ_CFG, Part.control(0, command), Hex.u8(on));
                assertThat(load(adapter, mode.hex())).isZero();
                assertThat(value(adapter.parts(1, READER), NET_CVQ_CFG, Part.control(0, command)))
                        .isEqualTo(Hex.u8(on));
            }
        }
        assertThat(load(adapter, image)).isZero();
        assertThat(image(adapter)).isEqualTo(image);
    }

    @Test
    @Rule("D46")
    void d46OtherLengthsAreRefused() {
        Adapter adapter = driven();
        for (Part part : adapter.parts(1, READER)) {
            if (hasOneLength(part)) {
                expectRefused(adapter, "more of " + part.name(), part.with(part.value() + "00").hex());
                expectRefused(adapter, "twice " + part.name(), part.with(part.value() + part.value()).hex());
                expectRefused(adapter, "less of " + part.name(), part.with(part.value().substring(2)).hex());
                expectRefused(adapter, "nothing of " + part.name(), part.with("").hex());
            }
        }
        Part last = Part.of(DEVICE_STATUS, NO_SELECTOR, "0f");
        expectRefused(adapter, "a part that is not whole", last.header(2) + last.value());
        expectRefused(adapter, "half a header", last.hex() + last.header().substring(0, 18));
        expectRefused(adapter, "a length of 4 GiB", last.header(0xFFFF_FFFFL) + last.value());
    }

    /** Not the tables, and not what the text does not know. */
    private static boolean hasOneLength(Part part) {
        boolean isTable = part.name().equals(Part.of(NET_CVQ_CFG, Part.control(1, 0), "").name())
                || part.name().equals(Part.of(NET_CVQ_CFG, Part.control(2, 0), "").name())
                || part.name().equals(Part.of(NET_CVQ_CFG, Part.control(4, 1), "").name())
                || part.name().equals(Part.of(NET_CVQ_CFG, Part.control(4, 2), "").name());
        return PartOrder.isKnown(part) && !isTable;
    }

    @Test
    @Rule("D47")
    void d47DeviceFeaturesAreVerifiedAndNotApplied() {
        Adapter adapter = driven();
        PciView pci = new PciView(adapter.function(1));
        long own = offered(pci);
        Part features = new Part(DEV_FEATURES, OPTIONAL, NO_SELECTOR, Hex.le64(own));
        assertThat(load(adapter, features.hex())).isZero();
        for (int bit = 0; bit < Long.SIZE; bit++) {
            expectRefused(adapter, "feature bit " + bit, features.with(Hex.le64(own ^ 1L << bit)).hex());
        }
        assertThat(offered(pci)).isEqualTo(own);
        List<Part> others = adapter.parts(1, READER);
        others.remove(0);
        assertThat(load(adapter, Part.hex(others))).as("parts without device features").isZero();
    }

    @Test
    @Rule("D48")
    void d48UnknownPartsAreIgnoredWhenOptional() {
        Adapter adapter = driven();
        String image = image(adapter);
        for (int type : new int[] {0x000, 0x106, 0x1FF, 0x201, 0x5FE, 0x600, 0xFFFE}) {
            Part unknown = new Part(type, OPTIONAL, "0102030405060708", "a1a2a3");
            assertThat(load(adapter, image + unknown.hex())).as("behind all, type 0x%x", type).isZero();
            assertThat(load(adapter, unknown.hex() + image)).as("before all, type 0x%x", type).isZero();
            assertThat(image(adapter)).isEqualTo(image);
            expectRefused(adapter, "a mandatory part of type " + type, new Part(type, 0, NO_SELECTOR, "a1").hex());
        }
    }

    @Test
    @Rule("D49")
    void d49FieldsThatBelongToTheDeviceAreVerifiedAndNotApplied() {
        Adapter adapter = driven();
        PciView pci = new PciView(adapter.function(1));
        for (int queues : new int[] {0, 1, 2, 4, 5, 0xFFFF}) {
            expectRefused(
                    adapter,
                    queues + " queues",
                    Part.of(PCI_COMMON_CFG, Part.field(GuestDriver.NUM_QUEUES), Hex.le16(queues)).hex());
        }
        assertThat(load(adapter, Part.of(PCI_COMMON_CFG, Part.field(GuestDriver.NUM_QUEUES), Hex.le16(3)).hex()))
                .isZero();
        assertThat(pci.common(GuestDriver.NUM_QUEUES, 2)).isEqualTo(3);
        long own = offered(pci);
        Part word = Part.of(PCI_COMMON_CFG, Part.field(GuestDriver.DEVICE_FEATURE), Hex.le32(~own));
        assertThat(load(adapter, word.hex())).as("a word of the device features").isNotZero();
        Part notify = Part.of(VQ_NOTIFY_CFG, Part.queue(1), Hex.le16(7) + Hex.zeros(6));
        expectRefused(adapter, "another notification offset", notify.hex());
        assertThat(offered(pci)).isEqualTo(own);
    }

    @Test
    @Rule("D55")
    void d55WantedPartsThatAreNotThereAreLeftOut() {
        Adapter adapter = driven();
        List<Part> parts = adapter.parts(1, READER);
        Part status = Part.of(DEVICE_STATUS, NO_SELECTOR, "0f");
        String missing = Part.of(VQ_CFG, Part.queue(99), "").header()
                + Part.of(PCI_COMMON_CFG, Part.field(5), "").header()
                + Part.of(NET_CVQ_CFG, Part.control(5, 0), "").header()
                + Part.of(NET_CVQ_CFG, Part.control(4, 0), "").header()
                + Part.of(0x5FF, NO_SELECTOR, "").header()
                + Part.of(0x1234, NO_SELECTOR, "").header();
        adapter.admin().expect(getSelected(1, READER, missing), OK);
        adapter.admin().expect(getSelected(1, READER, ""), OK);
        adapter.admin().expect(getSelected(1, READER, missing + status.header() + missing), OK + status.hex());
        adapter.admin().expect(getSelected(1, READER, status.header(99)), OK + status.hex());
        adapter.admin().expect(
                getSelected(1, READER, status.header() + missing + Part.headers(parts)), SPACE, OK + Part.hex(parts));
    }

    @Test
    @Rule("D56")
    void d56AnswersHaveEachPartBehindItsPredecessors() {
        Adapter adapter = emulator.adapter(1).ready();
        adapter.admin().accept(create(1, READER, GET));
        expectSameEverywhere(adapter);
        new GuestDriver(adapter.function(1)).start();
        expectSameEverywhere(adapter);
        adapter.stop(1);
        expectSameEverywhere(adapter);
    }

    /** Metadata and parts agree, and are in order. */
    private static void expectSameEverywhere(Adapter adapter) {
        List<Part> parts = adapter.parts(1, READER);
        PartOrder.check(parts);
        byte[] list = adapter.admin().accept(metadata(1, READER, LIST), SPACE).result();
        List<Part> headers = Part.readHeaders(Arrays.copyOfRange(list, 8, list.length));
        assertThat(Part.headers(headers)).isEqualTo(Part.headers(parts));
        String count = Hex.le32(parts.size()) + Hex.zeros(4);
        assertThat(Hex.of(list)).startsWith(count);
        adapter.admin().expect(metadata(1, READER, COUNT), OK + count);
        byte[] size = adapter.admin().accept(metadata(1, READER, SIZE)).result();
        assertThat(Hex.of(size)).hasSize(16).endsWith("00000000");
        int bytes = Part.hex(parts).length() / 2;
        assertThat(Hex.number(size, 0, 4)).isGreaterThanOrEqualTo(bytes);
        assertThat(adapter.admin().accept(getAll(1, READER), 8 + (int) Hex.number(size, 0, 4)).used())
                .isEqualTo(8 + bytes);
        assertThat(list).hasSize(8 + HEADER_BYTES * parts.size());
    }
}
