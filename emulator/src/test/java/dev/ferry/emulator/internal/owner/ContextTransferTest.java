// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.ContextBench.*;
import static org.assertj.core.api.Assertions.assertThat;

import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A device context in pieces, out of a device and into it, from byte layouts. */
class ContextTransferTest {

    /** Offsets in the virtio BAR of the function, which PCI capabilities tell as well. */
    private static final int BAR = 2;
    private static final int QUEUE_SELECT = 22;

    private final ContextBench bench = ContextBench.ready();

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
            bench.function().writeBar(BAR, QUEUE_SELECT, 2, 1); // of another moment than the snapshot
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
        bench.function().writeBar(BAR, QUEUE_SELECT, 2, 2);
        byte[] context = bench.read();
        bench.function().writeBar(BAR, QUEUE_SELECT, 2, 0);
        bench.mode(FREEZE);
        for (int at = 0; at < context.length; at += piece) {
            assertThat(bench.write(Arrays.copyOfRange(context, at, Math.min(context.length, at + piece))))
                    .isEqualTo(plain(OK));
        }
        assertThat(bench.function().readBar(BAR, QUEUE_SELECT, 2)).as("no effect before FREEZE is left").isZero();

        bench.mode(STOP);

        assertThat(bench.function().readBar(BAR, QUEUE_SELECT, 2)).isEqualTo(2);
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
        bench.function().writeBar(BAR, QUEUE_SELECT, 2, 1);
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
}
