// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.Errno;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Capabilities as {@code linux/pci_regs.h} has them, written by hand. */
@Timeout(value = 30, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
class ConfigSpaceTest extends DriverFixture {
    private static final int POWER = 0x40;
    private static final int MSI = 0x50;
    private static final int EXPRESS = 0x70;
    private static final int MSIX = 0xB0;

    private ConfigSpace space;

    @BeforeEach
    void makeCapabilities() throws Exception {
        set(0x06, 2, 0x0010); // status: there is a list
        set(0x34, 1, POWER);
        set(POWER, 2, MSI << 8 | 0x01);
        set(MSI, 2, EXPRESS << 8 | 0x05);
        set(MSI + 2, 2, 0x0180); // 64-bit addresses, masks
        set(EXPRESS, 2, MSIX << 8 | 0x10);
        set(EXPRESS + 2, 2, 0x0002); // version 2
        set(MSIX, 2, 0x0011);
        set(MSIX + 2, 2, 4); // 5 vectors
        set(MSIX + 4, 4, 0x2002);
        set(MSIX + 8, 4, 0x3002);
        space = ConfigSpace.of(device);
    }

    private void set(int offset, int bytes, int value) {
        set(fake.config, offset, bytes, value);
    }

    private static void set(byte[] config, int offset, int bytes, int value) {
        for (int i = 0; i < bytes; i++) {
            config[offset + i] = (byte) (value >> 8 * i);
        }
    }

    private int get(int offset, int bytes) {
        int value = ByteBuffer.wrap(fake.config).order(ByteOrder.LITTLE_ENDIAN).getInt(offset);
        return bytes == 4 ? value : value & (1 << 8 * bytes) - 1;
    }

    /** What a guest programmed, with a reset of the function that nobody asked for. */
    private byte[] programmed() throws Exception {
        byte[] saved = space.save();
        set(saved, 0x04, 2, 0x0407);
        set(saved, 0x10, 4, 0xFE00_0004);
        set(saved, 0x30, 4, 0xFD00_0001);
        set(saved, 0x3C, 1, 11);
        set(saved, POWER + 4, 2, 0x0003); // D3hot
        set(saved, MSI + 2, 2, 0x01A1);
        set(saved, MSI + 4, 4, 0xFEE0_1000);
        set(saved, MSI + 8, 4, 0x0000_0012);
        set(saved, MSI + 12, 2, 0x4321);
        set(saved, MSI + 16, 4, 0x0000_00F0);
        set(saved, MSI + 20, 4, 0x0000_0001); // pending
        set(saved, EXPRESS + 8, 2, 0xA810);
        set(saved, EXPRESS + 40, 2, 0x0009);
        set(saved, MSIX + 2, 2, 0xC004);
        return saved;
    }

    private List<String> written() {
        return fake.steps.stream().filter(step -> step.startsWith("config")).toList();
    }

    @Test
    void shouldRestoreWhatAGuestPrograms() throws Exception {
        space.restore(programmed());

        assertThat(get(0x10, 4)).isEqualTo(0xFE00_0004);
        assertThat(get(0x30, 4)).isEqualTo(0xFD00_0001);
        assertThat(get(0x3C, 1)).isEqualTo(11);
        assertThat(get(MSI + 2, 2)).isEqualTo(0x01A1);
        assertThat(get(MSI + 4, 4)).isEqualTo(0xFEE0_1000);
        assertThat(get(MSI + 8, 4)).isEqualTo(0x12);
        assertThat(get(MSI + 12, 2)).isEqualTo(0x4321);
        assertThat(get(MSI + 16, 4)).isEqualTo(0xF0);
        assertThat(get(EXPRESS + 8, 2)).as("never a reset").isEqualTo(0x2810);
        assertThat(get(EXPRESS + 40, 2)).isEqualTo(0x0009);
        assertThat(get(MSIX + 2, 2)).isEqualTo(0xC004);
        assertThat(get(0x04, 2)).isEqualTo(0x0407);
        assertThat(get(POWER + 4, 2)).as("power is the host's").isZero();
        assertThat(get(MSI + 20, 4)).as("pending is the device's").isZero();
    }

    @Test
    void shouldEnableNothingBeforeItsAddressIsKnown() throws Exception {
        space.restore(programmed());

        assertThat(written()).containsExactly("config 0x10", "config 0x14", "config 0x18", "config 0x1c", "config 0x20",
                "config 0x24", "config 0x30", "config 0x0c", "config 0x0d", "config 0x3c",
                "config 0x54", "config 0x58", "config 0x5c", "config 0x60", "config 0x52",
                "config 0x78", "config 0x98", "config 0xb2", "config 0x04");
    }

    @Test
    void shouldFollowTheShorterLayoutsOfMsiAndPciExpress() throws Exception {
        set(MSI + 2, 2, 0x0000);
        set(EXPRESS + 2, 2, 0x0001);
        space.restore(space.save());
        assertThat(written().subList(10, 16)).containsExactly(
                "config 0x54", "config 0x58", "config 0x52", "config 0x78", "config 0xb2", "config 0x04");

        fake.steps.clear();
        set(MSI + 2, 2, 0x0100); // masks, 32-bit addresses
        space.restore(space.save());
        assertThat(written().subList(10, 14)).containsExactly(
                "config 0x54", "config 0x58", "config 0x5c", "config 0x52");
    }

    @Test
    void shouldLookForNoCapabilitiesWhereTheStatusSaysThereAreNone() throws Exception {
        set(0x06, 2, 0);
        space.restore(space.save());

        assertThat(written()).hasSize(11);
    }

    @ParameterizedTest
    @CsvSource({
        "0x02, 0x1042, another kind", // device
        "0x0B, 0x0001, another kind", // class
        "0x52, 0x0100, other capabilities", // 64-bit MSI
        "0x52, 0x0080, other capabilities", // masks of MSI
        "0x52, 0x018E, other capabilities", // number of vectors of MSI
        "0x72, 0x0001, other capabilities", // version of PCI Express
        "0xB2, 0x0005, other capabilities", // number of vectors
        "0xB4, 0x2004, other capabilities", // table of vectors
        "0xB8, 0x3004, other capabilities", // pending bits
        "0x50, 0x0005, other capabilities", // the list ends early
        "0x06, 0x0000, other capabilities" // there is no list
    })
    void shouldRefuseAnotherKindOfDevice(String offset, String value, String what) throws Exception {
        byte[] saved = programmed();
        set(Integer.decode(offset), 2, Integer.decode(value));

        assertThat(assertErrno(Errno.EINVAL, () -> space.restore(saved)))
                .hasMessage("the state was saved from a PCI device of " + what + " than dev0");
        assertThat(written()).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({"0x08, 0x0002", "0x52, 0x01F1", "0xB2, 0x8004", "0x72, 0x0012"})
    void shouldTakeADeviceThatDiffersInWhatNoGuestGoesBy(String offset, String value) throws Exception {
        byte[] saved = programmed();
        set(Integer.decode(offset), 2, Integer.decode(value));

        space.restore(saved);

        assertThat(written()).isNotEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "0xB1, 0xB0, 0xb0", // to itself
        "0xB1, 0x40, 0x40", // to the first
        "0xB1, 0x20, 0x20", // into the header
        "0xB1, 0xFC, 0x100" // to the end, where MSI has no room
    })
    void shouldRefuseAListThatLoopsOrLeadsAway(String offset, String next, String where) throws Exception {
        byte[] saved = programmed();
        saved[0xFC] = 0x05;
        saved[Integer.decode(offset)] = (byte) (int) Integer.decode(next);

        assertThat(assertErrno(Errno.EINVAL, () -> space.restore(saved))).hasMessageStartingWith(
                "the list of PCI capabilities of the saved state leads to " + where);
        assertThat(written()).isEmpty();

        byte[] good = programmed();
        fake.config[0xFC] = 0x05;
        fake.config[Integer.decode(offset)] = (byte) (int) Integer.decode(next);
        assertThat(assertErrno(Errno.EINVAL, () -> space.restore(good)))
                .hasMessageStartingWith("the list of PCI capabilities of dev0 leads to 0x");
        assertThat(written()).isEmpty();
    }

    @Test
    void shouldIgnoreTheLowestBitsOfAnOffset() throws Exception {
        set(0x34, 1, POWER | 3);
        space.restore(programmed());

        assertThat(written()).hasSize(19);
    }

    @Test
    void shouldReadTheCapabilitiesOfAnExpressSpaceInItsFirstPart() throws Exception {
        byte[] conventional = fake.config;
        fake.config = Arrays.copyOf(conventional, 4096);
        ConfigSpace express = ConfigSpace.of(device);
        byte[] saved = express.save();
        assertThat(saved).hasSize(4096);
        set(saved, MSIX + 2, 2, 0x8004);

        express.restore(saved);

        assertThat(get(MSIX + 2, 2)).isEqualTo(0x8004);
    }
}
