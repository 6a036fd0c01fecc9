// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.slf4j.LoggerFactory;

class ClosingTest {
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final Logger logger = (Logger) LoggerFactory.getLogger(Closing.class);
    private final CountDownLatch letGo = new CountDownLatch(1);

    @BeforeEach
    void listen() {
        log.start();
        logger.addAppender(log);
    }

    @AfterEach
    void end() {
        letGo.countDown();
        logger.detachAppender(log);
        Thread.interrupted();
    }

    private void hold() {
        try {
            letGo.await();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void shouldSayThatTheKernelKeepsADeviceWhenTheTimeIsOver() {
        Closing closing = Closing.begin("host9/dev0", this::hold);

        assertThat(closing.await(System.nanoTime())).isFalse();

        assertThat(log.list).extracting(ILoggingEvent::getFormattedMessage).containsExactly(
                "host9/dev0 is in a call that the kernel has not ended; it is closed behind that");
    }

    @Test
    void shouldSayNothingOfTheKernelWhenTheWaitIsInterrupted() {
        Closing closing = Closing.begin("host9/dev0", this::hold);
        Thread.currentThread().interrupt();

        assertThat(closing.await(Long.MAX_VALUE)).isFalse();

        assertThat(Thread.currentThread().isInterrupted()).isTrue();
        assertThat(log.list).extracting(ILoggingEvent::getFormattedMessage).containsExactly(
                "nobody waits for host9/dev0 any longer, because the wait was interrupted; it is being closed");
    }
}
