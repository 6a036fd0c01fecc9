// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.ContextBench.*;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.PciFunction;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Opcode space, modes and fields of the device context, from byte layouts. */
class ContextCommandsTest {

    /** Offsets in the virtio BAR of the function, which PCI capabilities tell as well. */
    private static final int BAR = 2;

    private static final int DEVICE_FEATURE_SELECT = 0;
    private static final int DEVICE_STATUS = 20;
    private static final int QUEUE_SELECT = 22;

    private final ContextBench bench = ContextBench.ready();

    // --- opcode space

    @Test
    void shouldListTheCommandsInFiveWords() {
        ContextBench fresh = ContextBench.reset(CommandSet.CONTEXT);

        assertThat(fresh.execute("0000 0100 000000000000000000000000 0000000000000000", 64))
                .startsWith(plain(OK + "0300000000000000"))
                .endsWith(plain("0000000000000000 0000000000000000 0000000000000000 80ff030000000000"))
                .hasSize(2 * (8 + 40));
    }

    @ParameterizedTest
    @ValueSource(ints = {0x07, 0x08, 0x09, 0x0a, 0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10, 0x11})
    void shouldNeverOfferDevicePartsBesideTheContext(int opcode) {
        assertThat(bench.execute(toMember(opcode, ""), 8)).isEqualTo(plain(INVALID_OPCODE));
        assertThat(bench.execute(
                        "0100 0100 000000000000000000000000 0000000000000000" + hexWord(1L << opcode), 8))
                .isEqualTo(plain(INVALID_FIELD));
    }

    private static String hexWord(long word) {
        StringBuilder hex = new StringBuilder();
        for (int i = 0; i < 8; i++) {
            hex.append("%02x".formatted(word >>> 8 * i & 0xff));
        }
        return hex.toString();
    }

    @Test
    void shouldNotKnowTheContextWhereDevicePartsAreOffered() {
        ContextBench parts = ContextBench.reset(CommandSet.PARTS);

        assertThat(parts.member(MODE_GET, "", 8)).isEqualTo(plain(INVALID_OPCODE));
    }

    @Test
    void shouldTakeCommandsForMembersOfTheSrIovGroupOnly() {
        assertThat(bench.execute("0701 0000 000000000000000000000000 0000000000000000", 16))
                .isEqualTo(plain(INVALID_GROUP));
        assertThat(bench.execute("0701 0100 000000000000000000000000 0000000000000000", 16))
                .isEqualTo(plain(INVALID_MEMBER));
        assertThat(bench.execute("0701 0100 000000000000000000000000 0300000000000000", 16))
                .isEqualTo(plain(INVALID_MEMBER));
    }

    @Test
    void shouldRefuseCommandsThatAreNotInUse() {
        assertThat(ContextBench.reset(CommandSet.CONTEXT).member(MODE_GET, "", 8)).isEqualTo(plain(INVALID_OPCODE));
    }

    // --- modes

    @Test
    void shouldBeginInActive() {
        assertThat(bench.presentMode()).isEqualTo(plain(OK + "00 00000000000000"));
    }

    @ParameterizedTest
    @CsvSource({"0,0", "0,1", "0,2", "1,0", "1,1", "1,2", "2,0", "2,1", "2,2"})
    void shouldFollowAnyModeByAnyOther(int from, int to) {
        bench.mode(from);

        assertThat(bench.setMode(to)).isEqualTo(plain(OK));
        assertThat(bench.presentMode()).isEqualTo(plain(OK) + "%02x00000000000000".formatted(to));
    }

    @ParameterizedTest
    @ValueSource(ints = {3, 0x80, 0xff})
    void shouldRefuseAnUnknownMode(int mode) {
        bench.mode(STOP);

        assertThat(bench.setMode(mode)).isEqualTo(plain(INVALID_FIELD));
        assertThat(bench.presentMode()).isEqualTo(plain(OK + "01 00000000000000"));
    }

    @Test
    void shouldReadAShortModeAsZeroAndCutTheResult() {
        bench.mode(STOP);

        assertThat(bench.member(MODE_SET, "", 0)).isEqualTo(plain(OK));
        assertThat(bench.presentMode()).isEqualTo(plain(OK + "00 00000000000000"));
        assertThat(bench.member(MODE_GET, "ffff", 1)).isEqualTo(plain(OK + "00"));
    }

    @Test
    void shouldTakeWritesOfTheDriverInStop() {
        PciFunction function = bench.function();
        bench.mode(STOP);

        function.writeBar(BAR, QUEUE_SELECT, 2, 1);

        assertThat(function.readBar(BAR, QUEUE_SELECT, 2)).isEqualTo(1);
    }

    @Test
    void shouldHoldWritesOfTheDriverInFreezeAndApplyThemInOrderWhenItIsLeft() {
        PciFunction function = bench.function();
        bench.mode(FREEZE);
        byte[] before = bench.read();

        function.writeBar(BAR, QUEUE_SELECT, 2, 2);
        function.writeBar(BAR, QUEUE_SELECT, 2, 1);
        function.writeBar(BAR, DEVICE_FEATURE_SELECT, 4, 1);

        assertThat(function.readBar(BAR, QUEUE_SELECT, 2)).isZero();
        assertThat(bench.read()).as("the context cannot change").isEqualTo(before);
        bench.mode(STOP);
        assertThat(function.readBar(BAR, QUEUE_SELECT, 2)).isEqualTo(1);
        assertThat(function.readBar(BAR, DEVICE_FEATURE_SELECT, 4)).isEqualTo(1);
    }

    @Test
    void shouldAskForAResetWhenMoreIsWrittenInFreezeThanIsHeld() {
        PciFunction function = bench.function();
        bench.mode(FREEZE);
        for (int i = 0; i < 10_000; i++) {
            function.writeBar(BAR, QUEUE_SELECT, 2, i & 1);
        }

        bench.mode(ACTIVE);

        assertThat(function.readBar(BAR, DEVICE_STATUS, 1) & 0x40).as("DEVICE_NEEDS_RESET").isEqualTo(0x40);
    }

    @Test
    void shouldResetInFreezeAtOnceAndStayInFreeze() {
        PciFunction function = bench.function();
        function.writeBar(BAR, DEVICE_STATUS, 1, 3);
        bench.mode(FREEZE);
        function.writeBar(BAR, QUEUE_SELECT, 2, 1);
        assertThat(bench.write(context(""))).isEqualTo(plain(OK));

        function.writeBar(BAR, DEVICE_STATUS, 1, 0);

        assertThat(function.readBar(BAR, DEVICE_STATUS, 1)).isZero();
        assertThat(bench.presentMode()).isEqualTo(plain(OK + "02 00000000000000"));
        bench.mode(ACTIVE); // the staged context, which is not whole, is gone
        assertThat(function.readBar(BAR, QUEUE_SELECT, 2)).as("what was held is gone").isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = {ACTIVE, STOP, FREEZE})
    void shouldLeaveTheModeAloneWhenTheFunctionIsReset(int mode) throws Exception {
        bench.mode(mode);
        bench.member(READ, "", 16);

        bench.owner.resetFunction(1);

        assertThat(bench.presentMode()).isEqualTo(plain(OK) + "%02x00000000000000".formatted(mode));
        assertThat(bench.member(READ, "", 8)).as("a new snapshot").endsWith(plain("0100 00 00 08000000"));
    }

    // --- fields

    @Test
    void shouldTellTheFieldsItKnowsAscending() {
        String fields = bench.member(FIELDS_QUERY, "", 1024).substring(16);

        assertThat(fields).startsWith(plain("0100 0000 08000000" + "1000 0000 08000000" + "1100 0000 08000000"
                + "1200 0000 40000000" + "1300 0000 18000000" + "1400 0000 08000000" + "2000 0000 28000000"
                + "2100 0000 08000000" + "2200 0000 08000000" + "2300 0000 ffffffff"));
        assertThat(fields).contains(plain("0001 0000 08000000 0101 0000 ffffffff 0201 0000 00020000"));
        assertThat(fields).endsWith(plain("ffff 0000 08000000"));
        assertThat(bench.member(FIELDS_QUERY, "", 8 + 7))
                .as("whole entries")
                .isEqualTo(plain(OK) + fields.substring(0, 16));
    }

    // --- owner reset

    @Test
    void shouldBringEveryMemberToActiveWhenTheOwnerIsReset() {
        bench.mode(FREEZE);
        bench.write(Arrays.copyOf(bench.read(), 16));
        bench.member(RECORD_START, "0010000000000000 01000000 00000000 0000000000000000"
                + "0000010000000000 0000010000000000", 8);
        PciFunction owner = bench.owner.ownerFunction();
        owner.writeConfig(4, 2, 0x6);

        owner.writeBar(BAR, DEVICE_STATUS, 1, 0);

        bench.expectOk(USE_ALL);
        assertThat(bench.presentMode()).isEqualTo(plain(OK + "00 00000000000000"));
        assertThat(bench.member(RECORD_READ, "00".repeat(24), 16)).as("ended").isEqualTo(plain(INVALID_COMMAND));
    }
}
