// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.ContextBench.*;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.PciFunction;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** Opcode space, modes and device context, from byte layouts. */
class ContextCommandsTest {

    /** Offsets in the virtio BAR of the function, which PCI capabilities tell as well. */
    private static final int BAR = 2;

    private static final int DEVICE_FEATURE_SELECT = 0;
    private static final int DEVICE_STATUS = 20;
    private static final int QUEUE_SELECT = 22;

    private final ContextBench bench = ContextBench.ready();

    private PciFunction function() {
        PciFunction function = bench.owner.function(1);
        function.writeConfig(4, 2, 0x6);
        return function;
    }

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
        PciFunction function = function();
        bench.mode(STOP);

        function.writeBar(BAR, QUEUE_SELECT, 2, 1);

        assertThat(function.readBar(BAR, QUEUE_SELECT, 2)).isEqualTo(1);
    }

    @Test
    void shouldHoldWritesOfTheDriverInFreezeAndApplyThemInOrderWhenItIsLeft() {
        PciFunction function = function();
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
        PciFunction function = function();
        bench.mode(FREEZE);
        for (int i = 0; i < 10_000; i++) {
            function.writeBar(BAR, QUEUE_SELECT, 2, i & 1);
        }

        bench.mode(ACTIVE);

        assertThat(function.readBar(BAR, DEVICE_STATUS, 1) & 0x40).as("DEVICE_NEEDS_RESET").isEqualTo(0x40);
    }

    @Test
    void shouldResetInFreezeAtOnceAndStayInFreeze() {
        PciFunction function = function();
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

    // --- size, read

    @Test
    void shouldGiveTheContextOfANewDevice() {
        String context = HexFormat.of().formatHex(bench.read());

        assertThat(context)
                .startsWith(plain("0100 00 00 08000000 56544331 0100 0100" + "1000 00 00 08000000"))
                .contains(plain("1100 00 00 08000000 0000000000000000" + "1200 00 00 40000000"))
                .contains(plain("1400 00 00 08000000 0000000000000000" + "0101 00 00 10000000"))
                .endsWith(plain("00000000"));
        byte[] bytes = bench.read();
        byte[] body = Arrays.copyOf(bytes, bytes.length - 16);
        assertThat(context(HexFormat.of().formatHex(Arrays.copyOfRange(body, 16, body.length)))).isEqualTo(bytes);
    }

    @Test
    void shouldReadInPiecesFromOneSnapshot() {
        byte[] whole = bench.read();
        byte[] pieces = new byte[whole.length];
        for (int at = 0; at < whole.length; ) {
            byte[] answer = bench.execute(bytes(toMember(READ, "")), 8 + 40);
            int count = Math.min(40, whole.length - at);
            assertThat(HexFormat.of().formatHex(answer, 0, 8)).isEqualTo(plain("0000 0000") + u32(count));
            System.arraycopy(answer, 8, pieces, at, count);
            at += count;
            function().writeBar(BAR, QUEUE_SELECT, 2, 1); // of another moment than the snapshot
        }
        assertThat(pieces).isEqualTo(whole);
        assertThat(bench.member(READ, "", 40)).as("end").isEqualTo(plain(OK));
        assertThat(bench.read()).as("a new snapshot").isNotEqualTo(whole);
    }

    @Test
    void shouldRefuseAReadWithoutSpace() {
        assertThat(bench.member(READ, "", 0)).isEqualTo(plain(INVALID_COMMAND));
    }

    @Test
    void shouldTellTheSizeAndWhatIsNotReadYet() {
        int size = bench.read().length;
        assertThat(bench.member(SIZE_GET, "00", 8)).isEqualTo(plain(OK) + u32(size) + "00000000");
        bench.member(READ, "", 24);

        assertThat(bench.member(SIZE_GET, "00", 8)).isEqualTo(plain(OK) + u32(size - 24) + "00000000");
        String most = bench.member(SIZE_GET, "0100000000000000", 8);
        assertThat(Integer.reverseBytes((int) Long.parseLong(most.substring(16, 24), 16))).isGreaterThan(size);
        assertThat(bench.member(SIZE_GET, "02", 8)).isEqualTo(plain(INVALID_FIELD));
    }

    @Test
    void shouldReadInFormBWhereThatIsConfigured() {
        ContextBench formB = ContextBench.reset(CommandSet.CONTEXT_FORM_B);
        formB.expectOk(USE_ALL);
        int size = bench.read().length;

        String first = formB.member(READ, "", 8 + 16);

        assertThat(first).startsWith(plain(OK) + u32(16) + u32(size - 16) + plain("0100 00 00 08000000"));
        assertThat(formB.member(READ, "", 8 + (1 << 16))).startsWith(plain(OK) + u32(size - 16) + u32(0));
        assertThat(formB.member(READ, "", 64)).isEqualTo(plain(OK) + u32(0) + u32(0));
        assertThat(formB.member(READ, "", 8)).isEqualTo(plain(INVALID_COMMAND));
    }

    // --- write

    @ParameterizedTest
    @ValueSource(ints = {ACTIVE, STOP})
    void shouldTakeAContextInFreezeOnly(int mode) {
        bench.mode(mode);

        assertThat(bench.write(context(""))).isEqualTo(plain(BUSY_TRY_AGAIN));
        bench.mode(FREEZE);
        bench.mode(ACTIVE); // nothing was staged
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 7, 8, 200, 100_000})
    void shouldTakeAnySegmentation(int piece) {
        function().writeBar(BAR, QUEUE_SELECT, 2, 2);
        byte[] context = bench.read();
        function().writeBar(BAR, QUEUE_SELECT, 2, 0);
        bench.mode(FREEZE);
        for (int at = 0; at < context.length; at += piece) {
            assertThat(bench.write(Arrays.copyOfRange(context, at, Math.min(context.length, at + piece))))
                    .isEqualTo(plain(OK));
        }
        assertThat(function().readBar(BAR, QUEUE_SELECT, 2)).as("no effect before FREEZE is left").isZero();

        bench.mode(STOP);

        assertThat(function().readBar(BAR, QUEUE_SELECT, 2)).isEqualTo(2);
        assertThat(bench.read()).isEqualTo(context);
    }

    @Test
    void shouldIgnoreZerosBehindTheEnd() {
        byte[] context = bench.read();
        bench.mode(FREEZE);

        assertThat(bench.write(Arrays.copyOf(context, context.length + 5))).isEqualTo(plain(OK));
        assertThat(bench.write(new byte[4096])).isEqualTo(plain(OK));
        assertThat(bench.setMode(ACTIVE)).isEqualTo(plain(OK));
    }

    @Test
    void shouldSupersedeAContextByALaterOne() {
        byte[] first = bench.read();
        function().writeBar(BAR, QUEUE_SELECT, 2, 1);
        byte[] second = bench.read();
        bench.mode(FREEZE);
        assertThat(bench.write(Arrays.copyOf(first, 32))).isEqualTo(plain(OK)); // up to the end of a field
        assertThat(bench.write(Arrays.copyOf(first, first.length + 3))).isEqualTo(plain(OK));
        for (int images = 0; images < 10_000; images++) { // each supersedes the one before, so none takes memory
            assertThat(bench.write(second)).isEqualTo(plain(OK));
        }

        assertThat(bench.setMode(STOP)).isEqualTo(plain(OK));
        assertThat(bench.read()).isEqualTo(second);
    }

    @Test
    void shouldRefuseMoreThanTheLimitAndTakeNothingOfIt() {
        byte[] context = bench.read();
        bench.mode(FREEZE);
        byte[] foreign = bytes(field(0x7777, 1, "00".repeat(1 << 18)));
        String answer;
        int taken = 0;
        assertThat(bench.write(Arrays.copyOf(context, 16))).isEqualTo(plain(OK));
        while ((answer = bench.write(foreign)).equals(plain(OK))) {
            assertThat(++taken).isLessThan(100);
        }

        assertThat(answer).isEqualTo(plain(NO_SPACE));
        assertThat(bench.presentMode()).isEqualTo(plain(OK + "02 00000000000000"));
    }

    @Test
    void shouldKeepARefusedContextUntilItIsDiscarded() {
        byte[] context = bench.read();
        bench.mode(FREEZE);
        bench.write(Arrays.copyOf(context, context.length - 16));

        String refused = bench.setMode(STOP);

        assertThat(refused).as("END is missing").isEqualTo(plain("1600 0300 ffff 0000"));
        assertThat(bench.presentMode()).isEqualTo(plain(OK + "02 00000000000000"));
        assertThat(bench.setMode(ACTIVE)).isEqualTo(refused);
        assertThat(bench.member(DISCARD, "", 0)).isEqualTo(plain(OK));
        assertThat(bench.member(DISCARD, "", 0)).as("there is nothing").isEqualTo(plain(OK));
        assertThat(bench.presentMode()).as("the mode is not changed").isEqualTo(plain(OK + "02 00000000000000"));
        assertThat(bench.setMode(ACTIVE)).isEqualTo(plain(OK));
    }

    @Test
    void shouldDropTheSnapshotWhenDiscarded() {
        byte[] whole = bench.read();
        bench.member(READ, "", 24);
        bench.member(DISCARD, "", 0);

        assertThat(bench.read()).isEqualTo(whole);
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
