// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** The runnable application, each run a process of its own, with the JVM that runs the tests. */
public final class Application {
    private static final Duration LIMIT = Duration.ofSeconds(60);

    private final Path folder;

    /** @param folder where outputs are kept */
    public Application(Path folder) {
        this.folder = folder;
    }

    /**
     * What one run left.
     *
     * @param status exit status
     * @param out standard output
     * @param err standard error
     */
    public record Run(int status, String out, String err) {
        /** Standard output as the one JSON document that it must be. */
        public JsonObject json() {
            return JsonParser.parseString(out).getAsJsonObject();
        }
    }

    /** Runs it to its end. */
    public Run run(String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+UseSerialGC",
                "--sun-misc-unsafe-memory-access=allow",
                "-jar",
                System.getProperty("ferry.application")));
        command.addAll(List.of(arguments));
        Path out = Files.createTempFile(folder, "out", ".txt");
        Path err = Files.createTempFile(folder, "err", ".txt");
        Process process = new ProcessBuilder(command)
                .redirectOutput(out.toFile())
                .redirectError(err.toFile())
                .start();
        process.getOutputStream().close();
        if (!process.waitFor(LIMIT.toMillis(), TimeUnit.MILLISECONDS)) {
            process.destroyForcibly().waitFor();
            throw new AssertionError(command + " did not end within " + LIMIT + ": " + Files.readString(err));
        }
        return new Run(process.exitValue(), read(out), read(err));
    }

    private static String read(Path file) throws IOException {
        return Files.readString(file, StandardCharsets.UTF_8);
    }
}
