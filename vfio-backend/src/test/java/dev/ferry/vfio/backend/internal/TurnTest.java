// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(120)
class TurnTest {
    private static final long LONG_MILLIS = 60_000;

    private final Turn turn = new Turn();
    private final List<String> done = new CopyOnWriteArrayList<>();

    private static Thread start(Runnable task) {
        Thread thread = new Thread(task);
        thread.start();
        return thread;
    }

    @Test
    void shouldGrantAtOnceWhenItIsNobodysTurn() {
        assertThat(turn.wish(() -> done.add("granted")).await(0)).isTrue();
        assertThat(done).containsExactly("granted");
    }

    @Test
    void shouldGrantAtItsEndWhatWasWishedInATurn() throws Exception {
        CountDownLatch entered = new CountDownLatch(1);
        CountDownLatch letGo = new CountDownLatch(1);
        Thread holder = start(() -> {
            assertThat(turn.enter(LONG_MILLIS)).isTrue();
            entered.countDown();
            Turn.await(letGo, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LONG_MILLIS));
            done.add("turn");
            turn.leave();
        });
        assertThat(entered.await(LONG_MILLIS, TimeUnit.MILLISECONDS)).isTrue();

        assertThat(turn.enter(1)).isFalse();
        Turn.Wish wish = turn.wish(() -> done.add("granted"));
        assertThat(wish.await(1)).isFalse();
        letGo.countDown();

        assertThat(wish.await(LONG_MILLIS)).isTrue();
        holder.join(LONG_MILLIS);
        assertThat(done).containsExactly("turn", "granted");
    }

    /** Whoever wished has gone: nobody but the one whose turn ends can see to it. */
    @Test
    void shouldGrantWhatIsWishedWhileTheWishesOfATurnAreGranted() throws Exception {
        CountDownLatch second = new CountDownLatch(1);
        assertThat(turn.wish(() -> {
            start(() -> {
                turn.wish(() -> done.add("second"));
                second.countDown();
            });
            Turn.await(second, System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(LONG_MILLIS));
            done.add("first");
        }).await(LONG_MILLIS)).isTrue();

        assertThat(done).containsExactly("first", "second");
    }

    @Test
    void shouldEndATurnInWhichAWishFails() {
        turn.wish(() -> {
            throw new IllegalStateException("told to fail");
        });

        assertThat(turn.wish(() -> done.add("granted")).await(0)).isTrue();
        assertThat(turn.enter(0)).isTrue();
        turn.leave();
    }

    @Test
    void shouldTellAnInterruptedThreadWhatIsSo() {
        Turn.Wish granted = turn.wish(() -> {});
        Thread.currentThread().interrupt();

        assertThat(granted.await(LONG_MILLIS)).isTrue();
        assertThat(turn.enter(LONG_MILLIS)).isTrue();
        turn.leave();
        assertThat(Thread.interrupted()).isTrue();
    }
}
