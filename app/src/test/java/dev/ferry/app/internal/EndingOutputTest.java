// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;

class EndingOutputTest {
    private static final long LIMIT_SECONDS = 30;
    private static final String LAST = "ferry: interrupted\n";

    /** Once the last text has come, another thread prints, and either does or waits. */
    private static final class Progressing extends ByteArrayOutputStream {
        private final Thread other = new Thread(this::progress);
        private PrintStream shared;

        private void progress() {
            shared.println("PRE_COPY 17 %");
        }

        @Override
        public synchronized void write(byte[] bytes, int offset, int length) {
            super.write(bytes, offset, length);
            if (toString(StandardCharsets.UTF_8).endsWith(LAST)) {
                other.start();
                long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
                while (other.getState() == Thread.State.NEW || other.getState() == Thread.State.RUNNABLE) {
                    assertThat(deadline - System.nanoTime()).as("the other thread prints or waits").isPositive();
                    Thread.yield();
                }
            }
        }
    }

    @Test
    void shouldLetNobodyPrintButTheLastTextOnceItIsHeld() throws Exception {
        ByteArrayOutputStream file = new ByteArrayOutputStream();
        EndingOutput output = new EndingOutput(file);
        output.hold();
        output.write('x');
        output.close();
        output.end(LAST.getBytes(StandardCharsets.UTF_8));
        assertThat(file.toString(StandardCharsets.UTF_8)).isEqualTo(LAST);
    }

    @Test
    void shouldLetNobodyPrintBehindItsEnd() throws Exception {
        Progressing file = new Progressing();
        EndingOutput output = new EndingOutput(file);
        file.shared = new PrintStream(output, true, StandardCharsets.UTF_8);
        file.shared.println("STOP_COPY");

        output.end(LAST.getBytes(StandardCharsets.UTF_8));
        file.other.join(TimeUnit.SECONDS.toMillis(LIMIT_SECONDS));
        assertThat(file.other.isAlive()).isFalse();
        file.shared.println("COMPLETED");
        output.end("again".getBytes(StandardCharsets.UTF_8));

        assertThat(file.toString(StandardCharsets.UTF_8)).isEqualTo("STOP_COPY%n%s".formatted(LAST));
    }
}
