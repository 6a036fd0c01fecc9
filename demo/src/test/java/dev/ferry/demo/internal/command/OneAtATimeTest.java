// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.cli.CommandFailedException;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(30)
class OneAtATimeTest {

    private final OneAtATime oneAtATime = new OneAtATime();

    @Test
    void shouldRefuseASecondOneUntilTheFirstHasEnded() throws Exception {
        oneAtATime.begin();
        assertThatThrownBy(oneAtATime::begin)
                .isInstanceOf(CommandFailedException.class)
                .hasMessageStartingWith("another demo is running");
        oneAtATime.end();
        oneAtATime.begin();
    }

    @Test
    void shouldInterruptTheOneThatRunsAndWaitForItsEnd() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        Thread demo = new Thread(() -> {
            try {
                oneAtATime.begin();
                begun.countDown();
                new CountDownLatch(1).await(20, TimeUnit.SECONDS);
            } catch (CommandFailedException e) {
                throw new IllegalStateException(e);
            } catch (InterruptedException e) {
                oneAtATime.end();
            }
        });
        demo.start();
        assertThat(begun.await(10, TimeUnit.SECONDS)).isTrue();

        assertThat(oneAtATime.close(10)).isTrue();
        assertThatThrownBy(oneAtATime::begin).hasMessageContaining("being stopped");
        demo.join(10_000);
        assertThat(demo.isAlive()).isFalse();
    }

    @Test
    void shouldNotWaitForTheThreadThatCloses() throws Exception {
        oneAtATime.begin();
        assertThat(oneAtATime.close(10)).isFalse();
        assertThat(Thread.interrupted()).isFalse();
    }
}
