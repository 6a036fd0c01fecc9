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

/** The runnable jar, each run a process of its own. Used by one thread. */
final class RunnableJar {

    static final Path FILE = Path.of("target/ferry-runnable.jar").toAbsolutePath();

    /** More than any run here takes on a busy machine. */
    static final long LIMIT_SECONDS = 120;

    /** The Java that runs the tests. */
    static final Path JAVA = Path.of(System.getProperty("java.home"), "bin", "java");

    private final Path folder;
    private final Path java;
    private final Path jar;

    /** What one run left: its exit status, standard output and standard error. */
    record Ended(int status, String out, String err) {}

    /** Runs have this folder as their working directory; their temporary folder and their outputs are in it. */
    RunnableJar(Path folder) {
        this(folder, JAVA, FILE);
    }

    /** With another Java, or what a test made of the jar. */
    RunnableJar(Path folder, Path java, Path jar) {
        this.folder = folder;
        this.java = java;
        this.jar = jar;
    }

    /** Starts a run, with a text as its standard input. */
    Process start(String input, String... arguments) throws IOException {
        List<String> command = new ArrayList<>(List.of(
                java.toString(),
                "-XX:TieredStopAtLevel=1",
                // Older ones do not know the next one.
                "-XX:+IgnoreUnrecognizedVMOptions",
                "--sun-misc-unsafe-memory-access=allow",
                "-Djava.io.tmpdir=" + Files.createDirectories(folder.resolve("tmp")),
                "-jar",
                jar.toString()));
        command.addAll(List.of(arguments));
        Path in = Files.writeString(folder.resolve("in"), input);
        return new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectInput(in.toFile())
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
    }

    /** Runs it to its end. */
    Ended run(String input, String... arguments) throws IOException, InterruptedException {
        return end(start(input, arguments));
    }

    /** Waits for the end of a run. */
    Ended end(Process process) throws IOException, InterruptedException {
        try {
            assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).as("ends in time").isTrue();
        } finally {
            process.destroyForcibly();
        }
        return new Ended(
                process.exitValue(), Files.readString(folder.resolve("out")), Files.readString(folder.resolve("err")));
    }

    /** No run has left its temporary folder. */
    void assertNothingLeft() throws IOException {
        try (Stream<Path> left = Files.list(folder.resolve("tmp"))) {
            assertThat(left.filter(file -> file.getFileName().toString().startsWith("ferry-"))).isEmpty();
        }
    }
}
