// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import java.util.concurrent.CopyOnWriteArrayList;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** A wish that ends in an Error costs neither whoever's turn it is nor whoever wished something else. */
@Timeout(120)
class TurnErrorsTest {
    private static final long LONG_MILLIS = 60_000;

    private final Turn turn = new Turn();
    private final List<String> done = new CopyOnWriteArrayList<>();

    private Turn.Wish fail() {
        return turn.wish(() -> {
            throw new LinkageError("told to fail");
        });
    }

    private static void elsewhere(Runnable task) throws InterruptedException {
        Thread thread = new Thread(task);
        thread.start();
        thread.join(LONG_MILLIS);
        assertThat(thread.isAlive()).isFalse();
    }

    @Test
    void shouldSayThatWhatFailedIsNotDone() {
        assertThat(fail().await(LONG_MILLIS)).isFalse();
    }

    @Test
    void shouldGrantTheOthersAndGoOn() throws Exception {
        assertThat(turn.enter(0)).isTrue();
        elsewhere(this::fail);
        elsewhere(() -> turn.wish(() -> done.add("granted")));

        turn.leave();

        assertThat(done).containsExactly("granted");
        elsewhere(() -> {
            assertThat(turn.enter(0)).isTrue();
            turn.leave();
            done.add("next");
        });
        assertThat(done).containsExactly("granted", "next");
    }
}
