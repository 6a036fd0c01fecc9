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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.IntSupplier;
import org.apache.felix.gogo.runtime.CommandProcessorImpl;
import org.apache.felix.service.command.Function;
import org.apache.felix.service.threadio.ThreadIO;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class ShellSessionTest {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();
    private final List<Map<String, Object>> services = new ArrayList<>();
    private final CountDownLatch waiting = new CountDownLatch(1);
    private final CountDownLatch mayEnd = new CountDownLatch(1);
    private final AtomicInteger waits = new AtomicInteger();

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
        Function wait = (session, arguments) -> {
            waits.incrementAndGet();
            waiting.countDown();
            try {
                new CountDownLatch(1).await();
            } catch (InterruptedException e) {
                // A command puts things back before it ends, and leaves the flag as it was.
                assertThat(mayEnd.await(20, TimeUnit.SECONDS)).isTrue();
                Thread.currentThread().interrupt();
                throw new Exit(new InterruptedException("interrupted: m1 is CANCELLED"));
            }
            return null;
        };
        Function deaf = (session, arguments) -> {
            waiting.countDown();
            boolean interrupted = false;
            while (!interrupted) {
                try {
                    assertThat(new CountDownLatch(1).await(20, TimeUnit.SECONDS)).isTrue();
                } catch (InterruptedException e) {
                    interrupted = true;
                }
            }
            Thread.currentThread().interrupt();
            return null;
        };
        Function say = (session, arguments) -> "said " + arguments;
        processor.addCommand("ferry", say, "say");
        processor.addCommand("ferry", deaf, "deaf");
        processor.addCommand("ferry", wait, "wait");
        processor.addCommand("ferry", fail, "fail");
        processor.addCommand("ferry", deploy, "deploy");
        return new ShellSession(
                processor,
                () -> new CommandDirectory(services),
                new ProcessStreams(
                        new ByteArrayInputStream(input.getBytes(StandardCharsets.UTF_8)),
                        new PrintStream(out, true, StandardCharsets.UTF_8),
                        new PrintStream(err, true, StandardCharsets.UTF_8),
                        Optional::empty,
                        new EndingOutput(err)),
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
    void shouldAskACommandForItsHelp() throws Exception {
        try (ShellSession session = session("help  say\n", false)) {
            assertThat(session.interact()).isZero();
        }
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("said [--help]\n");
    }

    @Test
    void shouldExitWithTwoAndOneSentenceWhenTheTextIsNoCommandLine() {
        for (String text : List.of("devices \"", "devices )", "{ devices", "(devices", "$(", "a = [")) {
            err.reset();
            try (ShellSession session = session("", false)) {
                assertThat(session.script(text)).as(text).isEqualTo(2);
            }
            assertThat(err.toString(StandardCharsets.UTF_8).lines()).as(text).hasSize(1)
                    .allMatch(line -> line.startsWith("ferry: not a valid command line: "));
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

    /** As somebody does who types Ctrl-C while a command runs. */
    private int interactAtATerminal(ShellSession session) throws Exception {
        System.setProperty("ferry.terminal", "true");
        try {
            return session.interact();
        } finally {
            System.clearProperty("ferry.terminal");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"wait", "wait; wait"})
    void shouldEndOnlyTheCommandWhenInterruptedAtAPrompt(String typed) throws Exception {
        try (ShellSession session = session(typed + "\ndeploy\n", false)) {
            CompletableFuture<Boolean> first = new CompletableFuture<>();
            CompletableFuture<Boolean> second = new CompletableFuture<>();
            Thread key = new Thread(() -> {
                try {
                    assertThat(waiting.await(20, TimeUnit.SECONDS)).isTrue();
                    first.complete(session.interrupts().command());
                    second.complete(session.interrupts().command());
                } catch (Throwable e) {
                    first.completeExceptionally(e);
                } finally {
                    mayEnd.countDown();
                }
            });
            key.start();

            assertThat(interactAtATerminal(session)).isZero();

            assertThat(first.get(20, TimeUnit.SECONDS)).as("it has a prompt").isTrue();
            assertThat(second.get(20, TimeUnit.SECONDS)).as("it did not help").isFalse();
            assertThat(waits).as("the rest of the line is left out").hasValue(1);
            assertThat(services).as("the next command runs").hasSize(1);
            key.join();
        }
    }

    @Test
    void shouldLeaveItToTheProcessToEndCommandsThatDependOnEachOther() throws Exception {
        try (ShellSession session = session("wait | wait\ndeploy\n", false)) {
            CompletableFuture<Boolean> taken = new CompletableFuture<>();
            mayEnd.countDown();
            Thread key = new Thread(() -> {
                try {
                    assertThat(waiting.await(20, TimeUnit.SECONDS)).isTrue();
                    taken.complete(session.interrupts().command());
                } catch (Throwable e) {
                    taken.completeExceptionally(e);
                } finally {
                    session.interrupts().all();
                }
            });
            key.start();

            interactAtATerminal(session);

            assertThat(taken.get(20, TimeUnit.SECONDS)).isFalse();
            assertThat(services).as("nothing more is run").isEmpty();
            key.join();
        }
    }

    @Test
    void shouldShowAnotherPromptWhenInterruptedWhileNothingRuns() throws Exception {
        try (ShellSession session = session("", false)) {
            assertThat(session.interrupts().command()).as("nobody types").isFalse();
            interactAtATerminal(session);
            assertThat(session.interrupts().command()).isTrue();
        }
        assertThat(out.toString(StandardCharsets.UTF_8)).isEqualTo("ferry> \n`exit` leaves\nferry> ");
    }

    @ParameterizedTest
    @ValueSource(strings = {"wait; deploy", "deaf; deploy"})
    void shouldWaitForTheCommandOfATextAndSayWhatCameOfIt(String text) throws Exception {
        try (ShellSession session = session("", false)) {
            Thread end = new Thread(() -> {
                try {
                    assertThat(waiting.await(20, TimeUnit.SECONDS)).isTrue();
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                }
                session.interrupts().all();
                mayEnd.countDown();
            });
            end.start();
            assertThat(session.script(text)).isEqualTo(text.startsWith("wait") ? 1 : 0);
            // An interrupted thread could not join.
            assertThat(Thread.interrupted()).isTrue();
            end.join();
        }
        assertThat(services).as("no other begins").isEmpty();
    }

    @Test
    void shouldRunNothingMoreWhenInterrupted() throws Exception {
        try (ShellSession session = session("deploy\ndeploy\n", false)) {
            assertThat(session.interrupts().isRunning()).isFalse();
            session.interrupts().all();
            assertThat(session.script("deploy")).isEqualTo(1);
            assertThat(session.command("deploy", List.of())).isEqualTo(1);
            assertThat(session.interrupts().isRunning()).as("nothing began").isFalse();
            session.interact();
        }
        assertThat(services).isEmpty();
    }
}
