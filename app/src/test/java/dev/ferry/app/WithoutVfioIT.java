// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import java.io.IOException;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The runnable jar as a process where the bundle for VFIO devices does not resolve, or is not there at all. */
class WithoutVfioIT {

    private static final Path JAR = Path.of("target/ferry-runnable.jar").toAbsolutePath();
    private static final Path JDKS = Path.of("/usr/lib/jvm");
    private static final long LIMIT_SECONDS = 120;
    private static final String LEFT_OUT =
            "ferry: VFIO devices are left out, and all else works: the bundle dev.ferry.vfio.backend ";

    @TempDir
    private Path folder;

    private record Ended(int status, String out, String err) {}

    @BeforeEach
    void configure() throws IOException {
        Files.writeString(folder.resolve("vfio.json"), """
                {"dev.ferry.emulator.adapter~x": {"host": "host1", "name": "pf0", "members:Integer": 1},
                 "dev.ferry.emulator.adapter~y": {"host": "host2", "name": "pf0", "members:Integer": 1},
                 "dev.ferry.vfio.backend": {"devices": ["0000:3b:00.2"]}}
                """);
    }

    private Ended run(Path java, Path jar, String... arguments) throws IOException, InterruptedException {
        List<String> command = new ArrayList<>(List.of(
                java.toString(),
                "-XX:TieredStopAtLevel=1",
                "-XX:+IgnoreUnrecognizedVMOptions",
                "--sun-misc-unsafe-memory-access=allow",
                "-jar",
                jar.toString()));
        command.addAll(List.of(arguments));
        Process process = new ProcessBuilder(command)
                .directory(folder.toFile())
                .redirectOutput(folder.resolve("out").toFile())
                .redirectError(folder.resolve("err").toFile())
                .start();
        try {
            assertThat(process.waitFor(LIMIT_SECONDS, TimeUnit.SECONDS)).as("ends in time").isTrue();
        } finally {
            process.destroyForcibly();
        }
        return new Ended(
                process.exitValue(), Files.readString(folder.resolve("out")), Files.readString(folder.resolve("err")));
    }

    private static Path java17() throws IOException {
        Optional<Path> found = Optional.empty();
        if (Files.isDirectory(JDKS)) {
            try (Stream<Path> jdks = Files.list(JDKS)) {
                found = jdks.filter(WithoutVfioIT::isJava17).map(jdk -> jdk.resolve("bin/java")).findFirst();
            }
        }
        assumeThat(found).as("a Java 17 in %s to run the application with", JDKS).isPresent();
        return found.orElseThrow();
    }

    private static boolean isJava17(Path jdk) {
        try {
            return Files.readString(jdk.resolve("release")).contains("JAVA_VERSION=\"17.");
        } catch (IOException e) {
            return false; // no JDK
        }
    }

    private static Path thisJava() {
        return Path.of(System.getProperty("java.home"), "bin", "java");
    }

    private Path jarWithoutBackend() throws IOException {
        Path jar = Files.copy(JAR, folder.resolve("without.jar"));
        try (FileSystem inside = FileSystems.newFileSystem(jar);
                Stream<Path> bundles = Files.list(inside.getPath("bundles"))) {
            List<Path> backend = bundles.filter(bundle ->
                    bundle.getFileName().toString().startsWith("dev.ferry.vfio.backend")).toList();
            assertThat(backend).hasSize(1);
            Files.delete(backend.get(0));
        }
        return jar;
    }

    private void assertWorksWithoutVfio(Path java, Path jar, String sentence) throws Exception {
        Ended ended = run(java, jar, "--config", "vfio.json", "-c",
                "devices; migrate --quiet host1/pf0/vf1 host2/pf0/vf1");
        assertThat(ended.err()).isEqualTo(LEFT_OUT + sentence + "\n");
        assertThat(ended.status()).isZero();
        assertThat(ended.out())
                .containsPattern("(?m)^host1/pf0/vf1 .* virtio +RUNNING ")
                .containsPattern("(?m)^host2/pf0/vf1 .* virtio +RUNNING ")
                .contains(" COMPLETED\n");
    }

    @Test
    void shouldMigrateEmulatedDevicesAndSayWhyThereAreNoOthersWhenJavaIsTooOld() throws Exception {
        String sentence = "needs Java 22 or newer, and this is Java 17; run Ferry with a newer one";
        assertWorksWithoutVfio(java17(), JAR, sentence);

        Ended ended = run(java17(), JAR, "devices");
        assertThat(ended.err()).as("nobody asked for VFIO devices").isEqualTo(LEFT_OUT + sentence + "\n");
        assertThat(ended.status()).isZero();
    }

    @Test
    void shouldInspectTheStateOfAVfioDeviceWhenItsBundleCannotRun() throws Exception {
        byte[] state = HexFormat.of().parseHex("ffffffffef100004" + "0000000000000002" + "0102"
                + "ffffffffef100001" + "0000000000000000");
        Files.write(folder.resolve("whole"), state);
        Files.write(folder.resolve("cut"), Arrays.copyOf(state, 17));
        Path java = java17();

        Ended ended = run(java, JAR, "inspect", "whole");
        assertThat(ended.err()).isEmpty();
        assertThat(ended.out()).startsWith("format vfio: valid, records: 2\n");
        ended = run(java, JAR, "inspect", "cut");
        assertThat(ended.err()).isEqualTo(
                "ferry: cut is malformed at byte 0: a DATA record of 2 bytes has only 1 in the stream\n");
        assertThat(ended.status()).isEqualTo(1);
    }

    @Test
    void shouldMigrateEmulatedDevicesAndSayWhyThereAreNoOthersWhenTheBundleIsAbsent() throws Exception {
        Path jar = jarWithoutBackend();
        assertWorksWithoutVfio(thisJava(), jar, "is not installed; install it");

        Ended ended = run(thisJava(), jar, "devices");
        assertThat(ended.err()).as("nobody misses it").isEmpty();
        assertThat(ended.status()).isZero();
    }
}
