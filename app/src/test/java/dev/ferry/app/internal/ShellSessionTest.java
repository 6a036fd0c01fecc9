// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.function.IntSupplier;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.service.command.Function;
import org.apache.felix.service.threadio.ThreadIO;
import org.junit.jupiter.api.Test;

class ShellSessionTest {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final List<Map<String, Object>> services = new ArrayList<>();

    private static final class Exit extends RuntimeException implements IntSupplier {
        private static final long serialVersionUID = 1L;

        Exit(Throwable cause) {
            super(cause);
        }

        @Override
        public int getAsInt() {
            return 1;
        }
    }

    private static final class NoThreadIo implements ThreadIO {
        @Override
        public void setStreams(InputStream in, PrintStream out, PrintStream err) {}

        @Override
        public void close() {}
    }

    private ShellSession session(String input, boolean debug) {
        CommandProcessorImpl processor = new CommandProcessorImpl(new NoThreadIo());
        Function fail = (session, arguments) -> {
            throw new Exit(new IOException("the disk is full"));
        };
        Function deploy = (session, arguments) -> {
            services.add(Map.of("osgi.command.function", "late"));
            return null;
        };
        processor.addCommand("ferry", fail, "fail");
        processor.addCommand("ferry", deploy, "deploy");
        return new ShellSession(
                processor,
                () -> new CommandDirectory(services),
                new ProcessStreams(
                        new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        Optional::empty),
                debug);
    }

    @Test
    void shouldListACommandThatCameLater() throws Exception {
        try (ShellSession session = session("help\ndeploy\nhelp\nbogus\n", false)) {
            assertThat(session.interact()).isEqualTo(2);
        }
        assertThat(out.toString(StandardCharsets.UTF_8)).containsOnlyOnce("  late\n");
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("the commands are late");
    }

    @Test
    void shouldExitWithTwoAndOneSentenceWhenTheTextIsNoCommandLine() {
        for (String text : List.of("devices \"", "devices )", "{ devices", "(devices", "$(", "a = [")) {
            err.reset();
            try (ShellSession session = session("", false)) {
                assertThat(session.script(text)).as(text).isEqualTo(2);
            }
            assertThat(err.toString(StandardCharsets.UTF_8).lines()).as(text).hasSize(1)
                    .allMatch(line -> line.startsWith("ferry: this is no command line: "));
        }
    }

    @Test
    void shouldPrintTheStackTraceOfACommandOnlyWhenDebugging() {
        try (ShellSession session = session("", false)) {
            assertThat(session.script("fail")).isEqualTo(1);
        }
        assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
        try (ShellSession session = session("", true)) {
            assertThat(session.script("fail")).isEqualTo(1);
        }
        assertThat(err.toString(StandardCharsets.UTF_8)).startsWith("java.io.IOException: the disk is full\n\tat ");
    }

    @Test
    void shouldRefuseABackgroundCommandAndWhatIsNoCommand() {
        for (String text : List.of("deploy &", "deploy & deploy", "(1 + 2)")) {
            err.reset();
            try (ShellSession session = session("", false)) {
                assertThat(session.script(text)).as(text).isEqualTo(2);
            }
            assertThat(services).as(text).isEmpty();
            assertThat(err.toString(StandardCharsets.UTF_8).lines()).as(text).hasSize(1)
                    .allMatch(line -> line.startsWith("ferry: ") && !line.contains("oerce"));
        }
    }

    @Test
    void shouldLeaveWhenAskedTo() throws Exception {
        for (String text : List.of("exit", "quit", "deploy; exit; fail")) {
            try (ShellSession session = session(text + "\nbogus\n", false)) {
                assertThat(session.script(text)).as(text).isZero();
            }
            try (ShellSession session = session(text + "\nbogus\n", false)) {
                assertThat(session.interact()).as(text).isZero();
            }
        }
        assertThat(err.toString(StandardCharsets.UTF_8)).isEmpty();
    }

    @Test
    void shouldRunNothingMoreWhenInterrupted() throws Exception {
        try (ShellSession session = session("deploy\ndeploy\n", false)) {
            assertThat(session.isRunning()).isFalse();
            session.interrupt();
            assertThat(session.script("deploy")).isEqualTo(1);
            session.interact();
        }
        assertThat(services).isEmpty();
    }
}
