// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.app.RunnableJar.Ended;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.OutputStreamWriter;
import java.io.Writer;
import java.net.InetAddress;
import java.net.ServerSocket;
import java.net.Socket;
import java.net.StandardSocketOptions;
import java.nio.charset.StandardCharsets;
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

    private static final String NOT_ENDED =
            "has not ended and is in [A-Z_]+; look at the states of its devices before you use them";

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

    /** It pauses its guest and then would take minutes, until somebody stops it. */
    private static String endless(String source, String destination) {
        return "--bandwidth 1B/s --on-stall switchover " + source + " " + destination;
    }

    /** Hosts where a device needs some time before it runs again, so that to put things back takes at least as long. */
    private Path slowSource(String resume) throws IOException {
        return Files.writeString(folder.resolve("slow.json"), """
                {":configurator:resource-version": 1,
                 "dev.ferry.emulator.adapter~host1": {"host": "host1", "name": "pf0", "latency": "none,resume=%s"},
                 "dev.ferry.emulator.adapter~host2": {"host": "host2", "name": "pf0"}}
                """.formatted(resume));
    }

    /** On a busy machine putting things back may take longer than it has, of which the line speaks as well. */
    private static String lastLine(String... cameOf) {
        return "ferry: interrupted(: |, and what ran has not ended; )" + String.join("; ", cameOf) + "\n$";
    }

    private static String cancelled(String migration, String source) {
        return migration + " (is CANCELLED, " + source + " is RUNNING|" + NOT_ENDED + ")";
    }

    @Test
    void shouldSayOneSentenceWhenACommandIsTerminated() throws Exception {
        Files.createDirectories(folder.resolve("tmp"));
        // A busy machine predicts too much downtime for the default, and the rest is left out where one fails.
        String many = ("migrate --max-downtime 1h host1/pf0/vf1 host2/pf0/vf1; "
                        + "migrate --max-downtime 1h host2/pf0/vf1 host1/pf0/vf1; ")
                .repeat(1_000);
        Process process = jar.start("", "-c", many + "migrate " + endless("host1/pf0/vf1", "host2/pf0/vf1"));
        try {
            // A result says that commands run; then the next one is under way.
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(RunnableJar.LIMIT_SECONDS);
            while (Files.size(folder.resolve("out")) == 0 && process.isAlive() && System.nanoTime() < deadline) {
                Thread.yield();
            }
            process.toHandle().destroy();
            Ended ended = jar.end(process);
            assertThat(ended.status()).isEqualTo(143);
            assertThat(ended.err().lines().filter(line -> line.matches("(ferry|WARN).*")))
                    .singleElement()
                    .asString()
                    // On a busy machine putting things back may take longer than it has.
                    .matches("ferry: interrupted(, and what ran has not ended)?"
                            + "([:;] m\\d+ (is (CANCELLED|COMPLETED), host[12]/pf0/vf1 is (RUNNING|STOP)"
                            + "|" + NOT_ENDED + "))?");
            assertThat(ended.err()).containsPattern("ferry: interrupted[^\n]*\n$");
        } finally {
            process.destroyForcibly();
        }
        jar.assertNothingLeft();
    }

    @Test
    void shouldPutBackWhatRunsInTheBackgroundBeforeItEnds() throws Exception {
        // Longer than the process takes to end by itself, and shorter than a driver waits for a command.
        Path slow = slowSource("3s");
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
            in.write("migrate --background --quiet " + endless("host1/pf0/vf1", "host2/pf0/vf1") + "\n");
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
    void shouldPutBackWhatRunsInTheBackgroundWhenItsInputFails() throws Exception {
        // Longer than the process takes to end by itself, and shorter than a driver waits for a command.
        Path slow = slowSource("3s");
        Path err = folder.resolve("err");
        try (ServerSocket server = new ServerSocket(0, 1, InetAddress.getByName("127.0.0.1"))) {
            Process process = new ProcessBuilder(
                            "bash",
                            "-c",
                            "exec \"$0\" \"$@\" < /dev/tcp/127.0.0.1/" + server.getLocalPort(),
                            RunnableJar.JAVA.toString(),
                            "--sun-misc-unsafe-memory-access=allow",
                            "-jar",
                            RunnableJar.FILE.toString(),
                            "--config",
                            slow.toString())
                    .redirectError(err.toFile())
                    .start();
            server.setSoTimeout((int) TimeUnit.SECONDS.toMillis(RunnableJar.LIMIT_SECONDS));
            try (Socket input = server.accept();
                    Writer in = new OutputStreamWriter(input.getOutputStream(), StandardCharsets.US_ASCII);
                    BufferedReader out = process.inputReader()) {
                in.write("migrate --background --quiet " + endless("host1/pf0/vf1", "host2/pf0/vf1") + "\n");
                in.flush();
                assertThat(out.readLine()).startsWith("m1 started");
                awaitSwitchover(in, out);
                // With no time to linger its reader gets an error instead of the end.
                input.setOption(StandardSocketOptions.SO_LINGER, 0);
            }
            assertThat(process.waitFor(RunnableJar.LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
            assertThat(err).content().isEqualTo("""
                    ferry: Connection reset by peer
                    ferry: m1 is still under way and was asked to stop
                    ferry: m1 is CANCELLED, host1/pf0/vf1 is RUNNING
                    """);
            assertThat(process.exitValue()).isEqualTo(1);
        }
    }

    @Test
    void shouldSayWhatCameOfTheBackgroundWhenACommandIsTerminated() throws Exception {
        Files.createDirectories(folder.resolve("tmp"));
        Process process = jar.start("", "--config", slowSource("500ms").toString(), "-c",
                "migrate --background --quiet " + endless("host1/pf0/vf2", "host2/pf0/vf2")
                        + "; migrate " + endless("host1/pf0/vf1", "host2/pf0/vf1"));
        try {
            awaitStopCopy(process);
            process.toHandle().destroy();
            assertThat(jar.end(process).err()).containsPattern(
                    "\n" + lastLine(cancelled("m1", "host1/pf0/vf2"), cancelled("m2", "host1/pf0/vf1")));
        } finally {
            process.destroyForcibly();
        }
    }

    @Test
    void shouldLogWhatBecameOfADeviceThatNoCommandWaitsFor() throws Exception {
        Ended ended = jar.run("", "-c", "state host1/pf0/vf1 RESUMING");
        assertThat(ended.status()).isZero();
        assertThat(ended.err().lines())
                .anyMatch(line -> line.contains(" WARN ") && line.contains("host1/pf0/vf1: it could not be unwound"));
    }

    /** Takes as long as the bundles are waited for; the device, which is to run again, takes longer. */
    @Test
    void shouldSayThatTheBundlesHaveNotStoppedWhenADeviceTakesLongerThanTheyAreWaitedFor() throws Exception {
        Path slow = Files.writeString(folder.resolve("slow.json"), """
                {":configurator:resource-version": 1,
                 "dev.ferry.virtio.net.provider": {"command.timeout.millis:Integer": 60000},
                 "dev.ferry.emulator.adapter~host1": {"host": "host1", "name": "pf0", "latency": "none,resume=60s"}}
                """);
        Ended ended = jar.run("", "--config", slow.toString(), "-c", "state host1/pf0/vf1 STOP");
        assertThat(ended.err()).endsWith("ferry: the bundles have not stopped within 12 s; "
                + "look at the states of the devices before you use them\n");
        assertThat(ended.status()).isEqualTo(1);
        jar.assertNothingLeft();
    }

    private void awaitStopCopy(Process process) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(RunnableJar.LIMIT_SECONDS);
        while (!Files.readString(folder.resolve("err")).contains(" -> STOP_COPY")
                && process.isAlive()
                && System.nanoTime() < deadline) {
            Thread.yield();
        }
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
        "migrate %s",
        // Of commands that depend on each other the shell hears nothing, and waits for none of them.
        "devices | migrate %s",
        "migrate %s | devices",
    })
    void shouldSayWhatCameOfTheMigrationThatWasTerminated(String text) throws Exception {
        Files.createDirectories(folder.resolve("tmp"));
        Process process = jar.start("", "--config", slowSource("500ms").toString(), "-c",
                text.formatted(endless("host1/pf0/vf1", "host2/pf0/vf1")));
        try {
            awaitStopCopy(process);
            process.toHandle().destroy();
            Ended ended = jar.end(process);
            assertThat(ended.status()).isEqualTo(143);
            assertThat(ended.err()).containsPattern("\n" + lastLine(cancelled("m1", "host1/pf0/vf1")));
        } finally {
            process.destroyForcibly();
        }
    }
}
