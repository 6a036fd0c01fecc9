// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.demo.internal.traffic.Frame;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class FrameLedgerTest {

    private static final Duration LIMIT = Duration.ofSeconds(5);
    private static final Duration AT_ONCE = Duration.ofMillis(20);

    private final FrameLedger ledger = new FrameLedger();
    private final List<Frame> frames = new ArrayList<>();

    @Test
    void shouldFindNothingWrongWhenAllComeOutInOrder() throws Exception {
        send(4);
        out(0, 1);
        ledger.out(Side.DESTINATION, frames.get(2).bytes());
        ledger.out(Side.DESTINATION, frames.get(3).bytes());

        assertThat(ledger.counts()).isEqualTo(new FrameCounts(4, 4, 0, 0, 0, 0, 2, 2));
        assertThat(ledger.counts().isFlawless()).isTrue();
    }

    @Test
    void shouldCountAFrameThatNeverCameOutAsLost() throws Exception {
        send(4);
        out(0, 2, 3);

        assertThat(ledger.counts()).isEqualTo(new FrameCounts(4, 3, 1, 0, 0, 0, 3, 0));
        assertThat(ledger.counts().isFlawless()).isFalse();
    }

    @Test
    void shouldCountAFrameThatCameOutTwiceAsDuplicated() throws Exception {
        send(3);
        out(0, 1, 0, 2);

        assertThat(ledger.counts()).isEqualTo(new FrameCounts(3, 4, 0, 1, 0, 0, 4, 0));
        assertThat(ledger.counts().isFlawless()).isFalse();
    }

    @Test
    void shouldCountAFrameThatCameOutAfterALaterOneAsReordered() throws Exception {
        send(4);
        out(0, 2, 1, 3);

        assertThat(ledger.counts()).isEqualTo(new FrameCounts(4, 4, 0, 0, 1, 0, 4, 0));
        assertThat(ledger.counts().isFlawless()).isFalse();
    }

    @Test
    void shouldCountAChangedFrameAsLostAndForeign() throws Exception {
        send(2);
        ByteBuffer changed = copy(frames.get(0).bytes());
        changed.put(59, (byte) (changed.get(59) + 1));
        assertThat(ledger.out(Side.SOURCE, changed)).isEmpty();
        out(1);

        assertThat(ledger.counts()).isEqualTo(new FrameCounts(2, 2, 1, 0, 0, 1, 2, 0));
        assertThat(ledger.counts().isFlawless()).isFalse();
    }

    @Test
    void shouldCountATruncatedFrameAsForeign() throws Exception {
        send(1);
        ledger.out(Side.SOURCE, frames.get(0).bytes().slice(0, 59));

        assertThat(ledger.counts().foreign()).isOne();
    }

    @Test
    void shouldTakeEqualFramesInTheirOrder() throws Exception {
        Frame twice = frame(7);
        ledger.sending(twice, LIMIT);
        ledger.sending(new Frame(1, 1, 60, copy(twice.bytes())), LIMIT);

        assertThat(ledger.out(Side.SOURCE, twice.bytes())).map(Frame::seconds).contains(0);
        assertThat(ledger.out(Side.SOURCE, twice.bytes())).map(Frame::seconds).contains(1);
        assertThat(ledger.counts().isFlawless()).isTrue();
    }

    @Test
    void shouldCountARefusedFrameAsLostAtOnce() throws Exception {
        send(2);
        ledger.refused(frames.get(0));
        out(1);

        assertThat(ledger.awaitSettled(2, AT_ONCE)).isTrue();
        assertThat(ledger.counts()).isEqualTo(new FrameCounts(2, 1, 1, 0, 0, 0, 1, 0));
    }

    @Test
    void shouldGiveUpAFrameThatManyHaveOvertaken() throws Exception {
        send(FrameLedger.OVERTAKEN_FRAMES + 2);
        for (int number = 1; number < frames.size(); number++) {
            out(number);
        }
        assertThat(ledger.awaitSettled(frames.size(), AT_ONCE)).isTrue();
        assertThat(ledger.counts().lost()).isOne();
    }

    @Test
    void shouldWaitForTheLastFrameAndNotForThoseThatItHasOvertaken() throws Exception {
        send(3);
        out(1);
        assertThat(ledger.awaitLast(AT_ONCE)).as("the last one is on its way").isFalse();
        out(2);
        assertThat(ledger.awaitLast(AT_ONCE)).isTrue();
        assertThat(ledger.awaitSettled(3, AT_ONCE)).as("the first one may still come").isFalse();
        out(0);
        assertThat(ledger.awaitSettled(3, AT_ONCE)).isTrue();
    }

    @Test
    void shouldNotWaitForALastFrameThatWasRefused() throws Exception {
        send(1);
        ledger.refused(frames.get(0));
        assertThat(ledger.awaitLast(AT_ONCE)).isTrue();
    }

    @Test
    void shouldHoldTheSenderBackWhileTooManyAreOnTheirWay() throws Exception {
        send(FrameLedger.WINDOW_FRAMES);

        assertThatThrownBy(() -> ledger.sending(frame(-1), AT_ONCE))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(FrameLedger.WINDOW_FRAMES + " are on their way");
        out(0);
        ledger.sending(frame(-1), AT_ONCE);
        assertThat(ledger.counts().sent()).isEqualTo(FrameLedger.WINDOW_FRAMES + 1L);
    }

    @Test
    void shouldHoldTheSenderBackWhileTooManyBytesAreOnTheirWay() throws Exception {
        int large = Frame.MAX_BYTES;
        for (long bytes = large; bytes <= FrameLedger.WINDOW_BYTES; bytes += large) {
            ledger.sending(new Frame(0, 0, large, ByteBuffer.allocate(large)), AT_ONCE);
        }
        assertThatThrownBy(() -> ledger.sending(new Frame(0, 0, large, ByteBuffer.allocate(large)), AT_ONCE))
                .isInstanceOf(IOException.class);
    }

    @Test
    void shouldKnowADuplicateOfAFrameThatWasSentBeforeAndAgain() throws Exception {
        send(1);
        out(0);
        for (int number = 1; number < FrameLedger.REMEMBERED_FRAMES; number++) {
            sendAndOut(number);
        }
        sendAndOut(0);
        sendAndOut(FrameLedger.REMEMBERED_FRAMES);

        out(0);
        assertThat(ledger.counts().duplicated()).isOne();
        assertThat(ledger.counts().foreign()).isZero();
    }

    private void sendAndOut(int number) throws Exception {
        ledger.sending(frame(number), LIMIT);
        assertThat(ledger.out(Side.SOURCE, frame(number).bytes())).isPresent();
    }

    @Test
    void shouldTellEveryoneWhoWaitsOrSendsWhenNoMoreCanComeOut() throws Exception {
        send(1);
        Thread failing = new Thread(() -> ledger.fail(new IOException("the cable is cut")));
        failing.start();

        assertThatThrownBy(() -> ledger.awaitSettled(1, Duration.ofMinutes(1)))
                .isInstanceOf(IOException.class)
                .hasMessage("the cable is cut");
        assertThatThrownBy(() -> ledger.sending(frame(1), LIMIT)).hasMessage("the cable is cut");
        failing.join();
    }

    @Test
    void shouldSayThatFramesAreStillOnTheirWay() throws Exception {
        send(1);

        assertThat(ledger.awaitSettled(1, AT_ONCE)).isFalse();
    }

    private void send(int count) throws Exception {
        for (int number = 0; number < count; number++) {
            frames.add(frame(number));
            ledger.sending(frames.get(number), LIMIT);
        }
    }

    private void out(int... numbers) {
        for (int number : numbers) {
            assertThat(ledger.out(Side.SOURCE, copy(frames.get(number).bytes()))).isNotNull();
        }
    }

    private static Frame frame(int number) {
        return new Frame(0, 0, 60, ByteBuffer.allocate(60).putInt(20, number));
    }

    private static ByteBuffer copy(ByteBuffer bytes) {
        return ByteBuffer.allocate(bytes.remaining()).put(bytes.duplicate()).flip();
    }
}
