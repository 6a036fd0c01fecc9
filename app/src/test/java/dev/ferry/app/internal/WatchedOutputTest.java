// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.OutputStream;
import java.io.PrintStream;
import org.junit.jupiter.api.Test;

class WatchedOutputTest {

    @Test
    void shouldTellTheFirstFailureWhenAWriteFails() {
        WatchedOutput watched = new WatchedOutput(new OutputStream() {
            @Override
            public void write(int b) throws IOException {
                throw new IOException("the disk is full at " + (char) b);
            }
        });
        PrintStream print = new PrintStream(watched, true);
        print.print('a');
        print.print('b');
        assertThat(watched.failure()).contains("the disk is full at a");
    }

    @Test
    void shouldPassEverythingOnWhenNothingFails() {
        ByteArrayOutputStream to = new ByteArrayOutputStream();
        WatchedOutput watched = new WatchedOutput(to);
        new PrintStream(watched, true).print("all");
        assertThat(to).hasToString("all");
        assertThat(watched.failure()).isEmpty();
    }
}
