// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assumptions.assumeThat;

import dev.ferry.app.RunnableJar.Ended;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.FileSystem;
import java.nio.file.FileSystems;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.HexFormat;
import java.util.List;
import java.util.Optional;
import java.util.jar.Attributes;
import java.util.jar.Manifest;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The runnable jar as a process where the bundle for VFIO devices does not resolve, or is not there at all. */
class WithoutVfioIT {

    private static final Path JDKS = Path.of("/usr/lib/jvm");
    /** Of an environment variable, JAVA_HOME_21_X64 or JDK17_HOME for example. */
    private static final Pattern HOME = Pattern.compile("(JAVA|JDK).*HOME.*");
    private static final Pattern OLDER = Pattern.compile("(?m)^JAVA_VERSION=\"(17|18|19|20|21)\\b");
    private static final String LEFT_OUT =
            "ferry: VFIO devices are not available (everything else is): the bundle dev.ferry.vfio.backend ";

    @TempDir
    private Path folder;

    @BeforeEach
    void configure() throws IOException {
        Files.writeString(folder.resolve("vfio.json"), """
                {"dev.ferry.emulator.adapter~x": {"host": "host1", "name": "pf0", "members:Integer": 1},
                 "dev.ferry.emulator.adapter~y": {"host": "host2", "name": "pf0", "members:Integer": 1},
                 "dev.ferry.vfio.backend": {"devices": ["0000:3b:00.2"]}}
                """);
    }

    private Ended run(Path java, Path jar, String... arguments) throws IOException, InterruptedException {
        return new RunnableJar(folder, java, jar).run("", arguments);
    }

    /** Java on which the bundle for VFIO devices does not resolve, but all others do. */
    private record OlderJava(Path home, int feature) {
        Path program() {
            return home.resolve("bin/java");
        }
    }

    private static OlderJava olderJava() throws IOException {
        List<Path> homes = new ArrayList<>();
        System.getenv().forEach((name, value) -> {
            if (HOME.matcher(name).matches()) {
                homes.add(Path.of(value));
            }
        });
        if (Files.isDirectory(JDKS)) {
            try (Stream<Path> jdks = Files.list(JDKS)) {
                jdks.sorted().forEach(homes::add);
            }
        }
        Optional<OlderJava> found =
                homes.stream()
                        .map(WithoutVfioIT::olderJava)
                        .flatMap(Optional::stream)
                        .min(Comparator.comparingInt(OlderJava::feature));
        assumeThat(found)
                .as("a Java 17 to 21 to run the application with, in %s or where JAVA_HOME_17 or the like says", JDKS)
                .isPresent();
        return found.orElseThrow();
    }

    private static Optional<OlderJava> olderJava(Path home) {
        try {
            Matcher older = OLDER.matcher(Files.readString(home.resolve("release")));
            return older.find() && Files.isExecutable(home.resolve("bin/java"))
                    ? Optional.of(new OlderJava(home, Integer.parseInt(older.group(1))))
                    : Optional.empty();
        } catch (IOException e) {
            return Optional.empty(); // no Java
        }
    }

    private Path jarWithoutBackend() throws IOException {
        Path jar = Files.copy(RunnableJar.FILE, folder.resolve("without.jar"));
        try (FileSystem inside = FileSystems.newFileSystem(jar)) {
            Files.delete(backend(inside));
        }
        return jar;
    }

    /** As on a Java that has lost a package. */
    private Path jarWithBackendThatNeeds(String missing) throws IOException {
        Path jar = Files.copy(RunnableJar.FILE, folder.resolve("needy.jar"));
        try (FileSystem inside = FileSystems.newFileSystem(jar)) {
            Path backend = backend(inside);
            Path copy = Files.copy(backend, folder.resolve("backend.jar"));
            try (FileSystem bundle = FileSystems.newFileSystem(copy)) {
                addImport(bundle.getPath("META-INF/MANIFEST.MF"), missing);
            }
            Files.copy(copy, backend, StandardCopyOption.REPLACE_EXISTING);
        }
        return jar;
    }

    private static void addImport(Path file, String name) throws IOException {
        Manifest manifest;
        try (InputStream in = Files.newInputStream(file)) {
            manifest = new Manifest(in);
        }
        manifest.getMainAttributes().merge(
                new Attributes.Name("Import-Package"), name, (imports, added) -> imports + "," + added);
        try (OutputStream out = Files.newOutputStream(file)) {
            manifest.write(out);
        }
    }

    private static Path backend(FileSystem jar) throws IOException {
        try (Stream<Path> bundles = Files.list(jar.getPath("bundles"))) {
            List<Path> backend = bundles.filter(bundle ->
                    bundle.getFileName().toString().startsWith("dev.ferry.vfio.backend")).toList();
            assertThat(backend).hasSize(1);
            return backend.get(0);
        }
    }

    private void assertWorksWithoutVfio(Path java, Path jar, String sentence) throws Exception {
        Ended ended = run(java, jar, "--config", "vfio.json", "-c",
                "devices; migrate --quiet --max-downtime 1h host1/pf0/vf1 host2/pf0/vf1");
        assertThat(ended.err()).isEqualTo(LEFT_OUT + sentence + "\n");
        assertThat(ended.status()).isZero();
        assertThat(ended.out())
                .containsPattern("(?m)^host1/pf0/vf1 .* virtio +RUNNING ")
                .containsPattern("(?m)^host2/pf0/vf1 .* virtio +RUNNING ")
                .contains(" COMPLETED\n");
    }

    @Test
    void shouldMigrateEmulatedDevicesAndSayWhyThereAreNoOthersWhenJavaIsTooOld() throws Exception {
        OlderJava java = olderJava();
        String sentence = "needs Java 22 or newer, and this is Java %d; run Ferry with a newer one"
                .formatted(java.feature());
        assertWorksWithoutVfio(java.program(), RunnableJar.FILE, sentence);

        Ended ended = run(java.program(), RunnableJar.FILE, "devices");
        assertThat(ended.err()).as("nobody asked for VFIO devices").isEqualTo(LEFT_OUT + sentence + "\n");
        assertThat(ended.status()).isZero();
    }

    @Test
    void shouldInspectTheStateOfAVfioDeviceWhenItsBundleCannotRun() throws Exception {
        byte[] state = HexFormat.of().parseHex("ffffffffef100004" + "0000000000000002" + "0102"
                + "ffffffffef100001" + "0000000000000000");
        Files.write(folder.resolve("whole"), state);
        Files.write(folder.resolve("cut"), Arrays.copyOf(state, 17));
        Path java = olderJava().program();

        Ended ended = run(java, RunnableJar.FILE, "inspect", "whole");
        assertThat(ended.err()).isEmpty();
        assertThat(ended.out()).startsWith("format vfio: valid, records: 2\n");
        ended = run(java, RunnableJar.FILE, "inspect", "cut");
        assertThat(ended.err()).isEqualTo(
                "ferry: cut is malformed at byte 0: a DATA record of 2 bytes has only 1 in the stream\n");
        assertThat(ended.status()).isEqualTo(1);
    }

    @Test
    void shouldMigrateEmulatedDevicesAndSayWhyThereAreNoOthersWhenTheBundleIsAbsent() throws Exception {
        Path jar = jarWithoutBackend();
        assertWorksWithoutVfio(RunnableJar.JAVA, jar, "is not installed; install it");

        Ended ended = run(RunnableJar.JAVA, jar, "devices");
        assertThat(ended.err()).as("nobody misses it").isEmpty();
        assertThat(ended.status()).isZero();
    }

    @Test
    void shouldMigrateEmulatedDevicesAndSayWhatIsMissingWhenJavaHasLostAPackage() throws Exception {
        assertWorksWithoutVfio(RunnableJar.JAVA, jarWithBackendThatNeeds("gone.from.java"),
                "needs what nothing here offers: osgi.wiring.package (osgi.wiring.package=gone.from.java); "
                        + "install that, or run Ferry with another Java");
    }
}
