// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The runnable jar as a process: what reaches a command, what comes out where, and how it ends. */
class RunnableJarIT {

    private static final Path JAR = Path.of("target/ferry-runnable.jar").toAbsolutePath();
    private static final long LIMIT_SECONDS = 120;

    @TempDir
    private Path folder;

    private record Ended(int status, String out, String err) {}

    private Process start(String input, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "--sun-misc-unsafe-memory-access=allow",
                "-Djava.io.tmpdir=" + Files.createDirectories(folder.resolve("tmp")),
                "-jar",
                JAR.toString()));
        command.addAll(List.of(arguments));
        Path in = Files.writeString(folder.resolve("in"), input);
        return new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectInput(in.toFile())
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
    }

    private Ended run(String input, String... arguments) throws IOException, InterruptedException {
        return end(start(input, arguments));
    }

    private Ended end(Process process) throws IOException, InterruptedException {
        try {
            assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).as("ends in time").isTrue();
        } finally {
            process.destroyForcibly();
        }
        return new Ended(
                process.exitValue(), Files.readString(folder.resolve("out")), Files.readString(folder.resolve("err")));
    }

    private void assertNothingLeft() throws IOException {
        try (Stream<Path> left = Files.list(folder.resolve("tmp"))) {
            assertThat(left.filter(file -> file.getFileName().toString().startsWith("ferry-"))).isEmpty();
        }
    }

    @Test
    void shouldPrintResultsAloneOnStandardOutputWhenACommandIsDone() throws Exception {
        Ended ended = run("", "transitions", "STOP", "RUNNING");
        assertThat(ended).isEqualTo(new Ended(0, "STOP -> RUNNING_P2P -> RUNNING\n", ""));
        assertNothingLeft();
    }

    @Test
    void shouldHaveTheDevicesOfTheDefaultConfigurationWhenACommandStarts() throws Exception {
        Ended ended = run("", "devices");
        assertThat(ended.status()).isZero();
        for (String host : List.of("host1", "host2")) {
            assertThat(ended.out().lines().filter(line -> line.startsWith(host + "/pf0/vf"))).hasSize(4);
            assertThat(ended.out()).containsPattern("(?m)^" + host + "/pf0 +" + host + " +4$");
        }
        assertThat(ended.err()).isEmpty();
    }

    @Test
    void shouldPassArgumentsUnchangedWhenTheyHaveSpecialCharacters() throws Exception {
        String name = "a $b; 'c' \"d\" | {e} [f] (g) #h *";
        assertThat(run("", "save", "host1/pf0/vf1", name).status()).isZero();
        assertThat(folder.resolve(name)).isNotEmptyFile();
    }

    @Test
    void shouldEndWithTwoAndListTheCommandsWhenTheCommandIsUnknown() throws Exception {
        Ended ended = run("", "device");
        assertThat(ended.status()).isEqualTo(2);
        assertThat(ended.out()).isEmpty();
        assertThat(ended.err()).isEqualTo("ferry: there is no command 'device'; the commands are admin, check, demo, "
                + "devices, inspect, migrate, restore, save, state, transitions (usage: ferry --help)\n");
    }

    @Test
    void shouldStopAtTheFirstCommandThatFailsWhenThereAreSeveral() throws Exception {
        Ended ended = run("", "-c", "state host1/pf0/vf1 STOP; state host1/pf0/vf1 ERROR; devices");
        assertThat(ended.status()).isEqualTo(1);
        assertThat(ended.out()).isEqualTo("RUNNING -> RUNNING_P2P\nRUNNING_P2P -> STOP\n");
        assertThat(ended.err().lines()).hasSize(1).allMatch(line -> line.startsWith("ferry: "));
    }

    @Test
    void shouldReadCommandsToTheEndWhenNobodyTypes() throws Exception {
        Ended ended = run("state host1/pf0/vf1 STOP\n\nstate nowhere\nstate --bogus\nstate host1/pf0/vf1\n");
        assertThat(ended.status()).isEqualTo(1);
        assertThat(ended.out()).isEqualTo("RUNNING -> RUNNING_P2P\nRUNNING_P2P -> STOP\nSTOP\n");
        assertThat(ended.err().lines()).hasSize(2).allMatch(line -> line.startsWith("ferry: "));
    }

    @Test
    void shouldUseTheGivenConfigurationWhenThereIsOne() throws Exception {
        Files.writeString(folder.resolve("one.json"), """
                {"dev.ferry.emulator.adapter~x": {"host": "lab", "name": "pf7", "members:Integer": 1}}
                """);
        Ended ended = run("", "--config", "one.json", "state", "lab/pf7/vf1");
        assertThat(ended).isEqualTo(new Ended(0, "RUNNING\n", ""));
    }

    @Test
    void shouldListCommandsWhenHelpIsAskedFor() throws Exception {
        Ended ended = run("", "--help");
        assertThat(ended.status()).isZero();
        assertThat(ended.out()).contains("  transitions  The next-state matrix").contains("  demo ");
    }

    @Test
    void shouldLeaveNothingBehindWhenItIsTerminated() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--sun-misc-unsafe-memory-access=allow",
                        "-Dferry.terminal=true",
                        "-Djava.io.tmpdir=" + Files.createDirectories(folder.resolve("tmp")),
                        "-jar",
                        JAR.toString())
                .redirectErrorStream(true)
                .start();
        // The prompt says that everything has started.
        assertThat(process.getInputStream().readNBytes("ferry> ".length())).asString().isEqualTo("ferry> ");
        // By its handle, which leaves the stream open.
        process.toHandle().destroy();
        assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(process.getInputStream().readAllBytes()).asString().isEmpty();
        assertNothingLeft();
    }

    @Test
    void shouldEndWithOneWhenTheResultIsLost() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "--sun-misc-unsafe-memory-access=allow",
                        "-jar",
                        JAR.toString(),
                        "transitions")
                .redirectOutput(Path.of("/dev/full").toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
        assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).isEqualTo(1);
        assertThat(folder.resolve("err")).hasContent("ferry: cannot write the result: No space left on device");
    }

    @Test
    void shouldSayOneSentenceWhenACommandIsTerminated() throws Exception {
        Files.createDirectories(folder.resolve("tmp"));
        String many = "migrate host1/pf0/vf1 host2/pf0/vf1; migrate host2/pf0/vf1 host1/pf0/vf1; ".repeat(1_500);
        Process process = start("", "-c", many);
        try {
            // A result says that commands run; then the next one is under way.
            long deadline = System.nanoTime() + TimeUnit.SECONDS.toNanos(LIMIT_SECONDS);
            while (Files.size(folder.resolve("out")) == 0 && process.isAlive() && System.nanoTime() < deadline) {
                Thread.onSpinWait();
            }
            process.toHandle().destroy();
            Ended ended = end(process);
            assertThat(ended.status()).isEqualTo(143);
            assertThat(ended.err().lines().filter(line -> line.matches("(ferry|WARN).*")))
                    .containsExactly("ferry: interrupted");
            assertThat(ended.err()).endsWith("ferry: interrupted\n");
        } finally {
            process.destroyForcibly();
        }
        assertNothingLeft();
    }

    @Test
    void shouldSayWhatIsWrongWithTheTemporaryFolder() throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Djava.io.tmpdir=" + folder.resolve("none"),
                        "-jar",
                        JAR.toString(),
                        "transitions")
                .redirectErrorStream(true)
                .start();
        assertThat(process.getInputStream().readAllBytes()).asString()
                .contains("no temporary folder can be made in " + folder.resolve("none") + ": there is no such folder;");
        assertThat(process.waitFor()).isEqualTo(1);
    }
}
