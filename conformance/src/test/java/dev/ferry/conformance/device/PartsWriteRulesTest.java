// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static dev.ferry.conformance.harness.Commands.EINVAL;
import static dev.ferry.conformance.harness.Commands.set;
import static dev.ferry.conformance.harness.Part.DEVICE_STATUS;
import static dev.ferry.conformance.harness.Part.DEV_FEATURES;
import static dev.ferry.conformance.harness.Part.NET_CVQ_CFG;
import static dev.ferry.conformance.harness.Part.PCI_COMMON_CFG;
import static dev.ferry.conformance.harness.Part.VQ_NOTIFY_CFG;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.harness.Adapter;
import dev.ferry.conformance.harness.Emulator;
import dev.ferry.conformance.harness.GuestDriver;
import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.harness.Part;
import dev.ferry.conformance.harness.PciView;
import dev.ferry.conformance.table.Rule;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.extension.RegisterExtension;

/** Virtio 1.4, "Device parts" and the commands for them: what a device must do when they are written. */
class PartsWriteRulesTest {

    private static final String NO_SELECTOR = Hex.zeros(8);
    private static final int OPTIONAL = 1;

    @RegisterExtension
    final Emulator emulator = new Emulator();

    private static int load(Adapter adapter, String parts) {
        return adapter.admin().send(set(1, DrivenVf.WRITER, parts)).status();
    }

    /** Fails unless the device refuses the parts as invalid and is as before. */
    private static void expectRefused(Adapter adapter, String what, String parts) {
        String before = DrivenVf.image(adapter);
        assertThat(load(adapter, parts)).as(what).isEqualTo(EINVAL);
        assertThat(DrivenVf.image(adapter)).as("parts behind the refusal of " + what).isEqualTo(before);
    }

    @Test
    @Rule("D44")
    void d44PartsForARunningDeviceAreRefused() {
        Adapter adapter = DrivenVf.of(emulator);
        String image = DrivenVf.image(adapter);
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
        Adapter adapter = DrivenVf.of(emulator);
        String image = DrivenVf.image(adapter);
        for (int round = 0; round < 20; round++) {
            assertThat(load(adapter, image)).isZero();
            assertThat(DrivenVf.image(adapter)).isEqualTo(image);
        }
        for (int on = 1; on >= 0; on--) {
            for (int command = 0; command <= 1; command++) {
                Part mode = Part.of(NET_CVQ_CFG, Part.control(0, command), Hex.u8(on));
                assertThat(load(adapter, mode.hex())).isZero();
                assertThat(Part.valueOf(adapter.parts(1, DrivenVf.READER), NET_CVQ_CFG, Part.control(0, command)))
                        .isEqualTo(Hex.u8(on));
            }
        }
        assertThat(load(adapter, image)).isZero();
        assertThat(DrivenVf.image(adapter)).isEqualTo(image);
    }

    @Test
    @Rule("D46")
    void d46OtherLengthsAreRefused() {
        Adapter adapter = DrivenVf.of(emulator);
        for (Part part : adapter.parts(1, DrivenVf.READER)) {
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
        Adapter adapter = DrivenVf.of(emulator);
        PciView pci = new PciView(adapter.function(1));
        long own = GuestDriver.offered(pci);
        Part features = new Part(DEV_FEATURES, OPTIONAL, NO_SELECTOR, Hex.le64(own));
        assertThat(load(adapter, features.hex())).isZero();
        for (int bit = 0; bit < Long.SIZE; bit++) {
            expectRefused(adapter, "feature bit " + bit, features.with(Hex.le64(own ^ 1L << bit)).hex());
        }
        assertThat(GuestDriver.offered(pci)).isEqualTo(own);
        List<Part> others = adapter.parts(1, DrivenVf.READER);
        others.remove(0);
        assertThat(load(adapter, Part.hex(others))).as("parts without device features").isZero();
    }

    @Test
    @Rule("D48")
    void d48UnknownPartsAreIgnoredWhenOptional() {
        Adapter adapter = DrivenVf.of(emulator);
        String image = DrivenVf.image(adapter);
        for (int type : new int[] {0x000, 0x106, 0x1FF, 0x201, 0x5FE, 0x600, 0xFFFE}) {
            Part unknown = new Part(type, OPTIONAL, "0102030405060708", "a1a2a3");
            assertThat(load(adapter, image + unknown.hex())).as("behind all, type 0x%x", type).isZero();
            assertThat(load(adapter, unknown.hex() + image)).as("before all, type 0x%x", type).isZero();
            assertThat(DrivenVf.image(adapter)).isEqualTo(image);
            expectRefused(adapter, "a mandatory part of type " + type, new Part(type, 0, NO_SELECTOR, "a1").hex());
        }
    }

    @Test
    @Rule("D49")
    void d49FieldsThatBelongToTheDeviceAreVerifiedAndNotApplied() {
        Adapter adapter = DrivenVf.of(emulator);
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
        long own = GuestDriver.offered(pci);
        Part word = Part.of(PCI_COMMON_CFG, Part.field(GuestDriver.DEVICE_FEATURE), Hex.le32(~own));
        assertThat(load(adapter, word.hex())).as("a word of the device features").isNotZero();
        Part notify = Part.of(VQ_NOTIFY_CFG, Part.queue(1), Hex.le16(7) + Hex.zeros(6));
        expectRefused(adapter, "another notification offset", notify.hex());
        assertThat(GuestDriver.offered(pci)).isEqualTo(own);
    }
}
