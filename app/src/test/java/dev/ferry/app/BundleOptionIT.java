// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.app.RunnableJar.Ended;
import dev.ferry.app.extra.Activator;
import java.io.IOException;
import java.io.InputStream;
import java.io.OutputStream;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.jar.Attributes;
import java.util.jar.JarOutputStream;
import java.util.jar.Manifest;
import java.util.zip.ZipEntry;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** The runnable jar as a process, with bundles that somebody else has built. */
class BundleOptionIT {

    private static final String IMPORTS = "dev.ferry.device;version=\"[1,2)\",org.osgi.framework";

    @TempDir
    private Path folder;

    private RunnableJar jar;

    @BeforeEach
    void atTheFolder() {
        jar = new RunnableJar(folder);
    }

    /** Makes a file of the test's activator; a header that is null is left out. */
    private void make(String file, String symbolicName, String imports, Map<String, String> more) throws IOException {
        Manifest manifest = new Manifest();
        Attributes headers = manifest.getMainAttributes();
        headers.put(Attributes.Name.MANIFEST_VERSION, "1.0");
        if (symbolicName != null) {
            headers.putValue("Bundle-ManifestVersion", "2");
            headers.putValue("Bundle-SymbolicName", symbolicName);
        }
        headers.putValue("Bundle-Activator", Activator.class.getName());
        headers.putValue("Import-Package", imports);
        more.forEach(headers::putValue);
        String entry = Activator.class.getName().replace('.', '/') + ".class";
        try (OutputStream to = Files.newOutputStream(folder.resolve(file));
                JarOutputStream classes = new JarOutputStream(to, manifest);
                InputStream from = Activator.class.getResourceAsStream("/" + entry)) {
            classes.putNextEntry(new ZipEntry(entry));
            from.transferTo(classes);
        }
    }

    private void assertRefused(String file, String why) throws Exception {
        Ended ended = jar.run("", "--bundle", file, "transitions", "STOP", "RUNNING");
        assertThat(ended).isEqualTo(new Ended(1, "", "ferry: " + why + "\n"));
        jar.assertNothingLeft();
    }

    @Test
    void shouldHaveTheDevicesOfABundleThatIsNamed() throws Exception {
        make("extra.jar", "extra", IMPORTS, Map.of());
        Ended ended = jar.run("", "--bundle", "extra.jar", "devices");
        assertThat(ended.status()).isZero();
        assertThat(ended.out()).containsPattern("(?m)^extra/a +test +here ").contains("host1/pf0/vf1")
                .doesNotContain("talks");
        assertThat(ended.err()).isEqualTo("a bundle talks to itself\n");
        jar.assertNothingLeft();
    }

    @Test
    void shouldSayWhatIsWrongWithABundleFile() throws Exception {
        assertRefused("none.jar", "there is no bundle file none.jar; build it, or correct --bundle");
        Files.createDirectory(folder.resolve("folder.jar"));
        assertRefused("folder.jar", "there is no bundle file folder.jar; build it, or correct --bundle");
        Files.writeString(folder.resolve("text.jar"), "no archive");
        assertRefused("text.jar",
                "the bundle file text.jar is no bundle: java.util.zip.ZipException: zip END header not found");
        make("plain.jar", null, IMPORTS, Map.of());
        assertRefused("plain.jar", "the bundle file plain.jar is no bundle: its manifest has no Bundle-SymbolicName; "
                + "build it with bnd, for example");
    }

    @Test
    void shouldTellTheVersionWithoutStartingABundle() throws Exception {
        make("extra.jar", "extra", IMPORTS, Map.of());
        for (String file : List.of("none.jar", "extra.jar")) {
            Ended ended = jar.run("", "--bundle", file, "--version");
            assertThat(ended.status()).isZero();
            assertThat(ended.out()).startsWith("ferry ");
            assertThat(ended.err()).isEmpty();
        }
        jar.assertNothingLeft();
    }

    @Test
    void shouldSayWhatABundleLacksOrHasFailedWith() throws Exception {
        make("lacks.jar", "extra", IMPORTS + ",com.example.none", Map.of());
        assertRefused("lacks.jar", "the bundle file lacks.jar needs what nothing here offers: osgi.wiring.package "
                + "(osgi.wiring.package=com.example.none); install that, or run Ferry with another Java");
        make("fails.jar", "extra", IMPORTS, Map.of(Activator.FAILURE, "no card in the slot"));
        assertRefused("fails.jar", "the bundle file fails.jar does not start: "
                + "java.lang.IllegalStateException: no card in the slot");
        make("again.jar", "dev.ferry.shell", IMPORTS, Map.of("Bundle-Version", "0.1.0.SNAPSHOT"));
        assertRefused("again.jar", "the bundle file again.jar has the name and the version of a bundle that is here "
                + "already; give it another version");
    }
}
