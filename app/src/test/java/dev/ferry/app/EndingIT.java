// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.app.RunnableJar.Ended;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.Writer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** The runnable jar as a process: what happens when a command is interrupted, or nobody takes its result. */
class EndingIT {

    @TempDir
    private Path folder;

    private RunnableJar jar;

    @BeforeEach
    void atTheFolder() {
        jar = new RunnableJar(folder);
    }

    @Test
    void shouldLeaveNothingBehindWhenItIsTerminated() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--sun-misc-unsafe-memory-access=allow",
                        "-Dferry.terminal=true",
                        "-Djava.io.tmpdir=" + Files.createDirectories(folder.resolve("tmp")),
                        "-jar",
                        RunnableJar.FILE.toString())
                .redirectErrorStream(true)
                .start();
        // The prompt says that everything has started.
        assertThat(process.getInputStream().readNBytes("ferry> ".length())).asString().isEqualTo("ferry> ");
        // By its handle, which leaves the stream open.
        process.toHandle().destroy();
        assertThat(process.waitFor(RunnableJar.LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(process.getInputStream().readAllBytes()).asString().isEmpty();
        jar.assertNothingLeft();
    }

    @Test
    void shouldEndWithOneWhenTheResultIsLost() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--sun-misc-unsafe-memory-access=allow",
                        "-jar",
                        RunnableJar.FILE.toString(),
                        "transitions")
                .redirectOutput(Path.of("/dev/full").toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
        assertThat(process.waitFor(RunnableJar.LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(1);
        assertThat(folder.resolve("err")).hasContent("ferry: cannot write the result: No space left on device");
    }

    private Path slowDestination(String firstLoad) throws IOException {
        return Files.writeString(folder.resolve("slow.json"), """
                {":configurator:resource-version": 1,
                 "dev.ferry.emulator.adapter~host1": {"host": "host1", "name": "pf0"},
                 "dev.ferry.emulator.adapter~host2":
                   {"host": "host2", "name": "pf0", "latency": "smartnic,firstLoad=%s"}}
                """.formatted(firstLoad));
    }

    @Test
    void shouldSayOneSentenceWhenACommandIsTerminated() throws Exception {
        Files.createDirectories(folder.resolve("tmp"));
        String many = "migrate host1/pf0/vf1 host2/pf0/vf1; migrate host2/pf0/vf1 host1/pf0/vf1; ".repeat(1_500);
        Process process = jar.start("", "-c", many);
        try {
            // A result says that commands run; then the next one is under way.
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(RunnableJar.LIMIT_SECONDS);
            while (Files.size(folder.resolve("out")) == 0 && process.isAlive() && System.nanoTime() < deadline) {
                Thread.onSpinWait();
            }
            process.toHandle().destroy();
            Ended ended = jar.end(process);
            assertThat(ended.status()).isEqualTo(143);
            assertThat(ended.err().lines().filter(line -> line.matches("(ferry|WARN).*")))
                    .singleElement()
                    .asString()
                    .matches("ferry: interrupted"
                            + "(: m\\d+ is (CANCELLED|COMPLETED), host[12]/pf0/vf1 is (RUNNING|STOP))?");
            assertThat(ended.err()).containsPattern("ferry: interrupted[^\n]*\n$");
        } finally {
            process.destroyForcibly();
        }
        jar.assertNothingLeft();
    }

    @Test
    void shouldPutBackWhatRunsInTheBackgroundBeforeItEnds() throws Exception {
        // Longer than the process takes to end by itself, and shorter than a driver waits for a command.
        Path slow = slowDestination("4s");
        Path err = folder.resolve("err");
        Process process = new ProcessBuilder(
                        RunnableJar.JAVA.toString(),
                        "--sun-misc-unsafe-memory-access=allow",
                        "-jar",
                        RunnableJar.FILE.toString(),
                        "--config",
                        slow.toString())
                .redirectError(err.toFile())
                .start();
        try (Writer in = process.outputWriter(); BufferedReader out = process.inputReader()) {
            in.write("migrate --background --quiet --no-precopy host1/pf0/vf1 host2/pf0/vf1\n");
            in.flush();
            assertThat(out.readLine()).startsWith("m1 started");
            awaitSwitchover(in, out);
        }
        assertThat(process.waitFor(RunnableJar.LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(err).content().isEqualTo("""
                ferry: m1 is still under way and was asked to stop
                ferry: m1 is CANCELLED, host1/pf0/vf1 is RUNNING
                """);
        assertThat(process.exitValue()).isZero();
    }

    @Test
    void shouldLogWhatBecameOfADeviceThatNoCommandWaitsFor() throws Exception {
        Ended ended = jar.run("", "-c", "state host1/pf0/vf1 RESUMING");
        assertThat(ended.status()).isZero();
        assertThat(ended.err().lines())
                .anyMatch(line -> line.contains(" WARN ") && line.contains("host1/pf0/vf1: it could not be unwound"));
    }

    private static void awaitSwitchover(Writer in, BufferedReader out) throws IOException {
        String phase = "";
        while (!phase.startsWith("SWITCHOVER")) {
            in.write("jobs\n");
            in.flush();
            assertThat(out.readLine()).startsWith("MIGRATION");
            phase = out.readLine().replaceFirst("^m1 +", "");
            assertThat(out.readLine()).startsWith("  host1/pf0/vf1");
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "migrate --no-precopy host1/pf0/vf1 host2/pf0/vf1",
        // Of commands that depend on each other the shell hears nothing, and waits for none of them.
        "devices | migrate --no-precopy host1/pf0/vf1 host2/pf0/vf1",
        "migrate --no-precopy host1/pf0/vf1 host2/pf0/vf1 | devices",
    })
    void shouldSayWhatCameOfTheMigrationThatWasTerminated(String text) throws Exception {
        // Its destination takes its time, and ends before the time to put things back does.
        Path slow = slowDestination("1s");
        Files.createDirectories(folder.resolve("tmp"));
        Process process = jar.start("", "--config", slow.toString(), "-c", text);
        try {
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(RunnableJar.LIMIT_SECONDS);
            while (!Files.readString(folder.resolve("err")).contains("STOP -> STOP_COPY")
                    && process.isAlive()
                    && System.nanoTime() < deadline) {
                Thread.onSpinWait();
            }
            process.toHandle().destroy();
            Ended ended = jar.end(process);
            assertThat(ended.status()).isEqualTo(143);
            // On a busy machine putting things back may take longer than it has.
            assertThat(ended.err()).containsPattern("\nferry: interrupted: m1 (is CANCELLED, host1/pf0/vf1 is RUNNING"
                    + "|was asked to stop and is still in SWITCHOVER; `devices` shows where host1/pf0/vf1 is left"
                    + "|has not ended and is in SWITCHOVER; look at the states of its devices before you use them)\n$");
        } finally {
            process.destroyForcibly();
        }
    }
}
