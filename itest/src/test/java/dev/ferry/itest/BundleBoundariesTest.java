// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;

import aQute.bnd.header.Attrs;
import aQute.bnd.header.OSGiHeader;
import aQute.bnd.header.Parameters;
import dev.ferry.itest.harness.FerryBundle;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeSet;
import java.util.jar.Attributes;
import java.util.jar.JarEntry;
import java.util.jar.JarFile;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What the built bundles may import, export and require, read from their manifests. */
class BundleBoundariesTest {
    private static final String OURS = "dev.ferry.";
    private static final Set<String> API_PACKAGES = Set.of(
            "dev.ferry.configuration",
            "dev.ferry.device",
            "dev.ferry.fsm",
            "dev.ferry.legacy",
            "dev.ferry.migration",
            "dev.ferry.stream",
            "dev.ferry.virtio",
            "dev.ferry.virtio.context");
    private static final Set<String> EMULATOR_PACKAGES =
            Set.of("dev.ferry.emulator.control", "dev.ferry.emulator.guest");

    @ParameterizedTest
    @EnumSource
    void shouldBeNamedAsItsArtifact(FerryBundle bundle) throws Exception {
        assertThat(parameters(bundle, "Bundle-SymbolicName").keySet()).containsExactly(bundle.symbolicName());
    }

    @ParameterizedTest
    @EnumSource
    void shouldImportOfOursOnlyTheApi(FerryBundle bundle) throws Exception {
        Set<String> allowed = new TreeSet<>(API_PACKAGES);
        if (bundle == FerryBundle.DEMO || bundle == FerryBundle.EMULATOR) {
            // A bundle imports what it exports, too, so that all share one copy.
            allowed.addAll(EMULATOR_PACKAGES);
        }
        assertThat(parameters(bundle, "Import-Package").keySet())
                .filteredOn(name -> name.startsWith(OURS))
                .isSubsetOf(allowed);
    }

    @ParameterizedTest
    @EnumSource
    void shouldExportOnlyWhatIsMeantForOthers(FerryBundle bundle) throws Exception {
        Set<String> expected =
                switch (bundle) {
                    case API -> API_PACKAGES;
                    case EMULATOR -> EMULATOR_PACKAGES;
                    case FSM_CORE,
                            STREAM_VIRTIOVF,
                            STREAM_VFIO,
                            VIRTIO_NET_PROVIDER,
                            VIRTIO_CONTEXT_PROVIDER,
                            VFIO_BACKEND,
                            VIRTIO_LEGACY_IO,
                            SHELL,
                            DEMO,
                            APP ->
                        Set.of();
                };
        assertThat(parameters(bundle, "Export-Package").keySet()).hasSameElementsAs(expected);
    }

    @ParameterizedTest
    @EnumSource
    void shouldVersionEachExportedPackage(FerryBundle bundle) throws Exception {
        parameters(bundle, "Export-Package")
                .forEach((name, attributes) ->
                        assertThat(attributes.getVersion()).as(name).isNotEmpty().isNotEqualTo("0.0.0"));
    }

    @ParameterizedTest
    @EnumSource
    void shouldShowNoForeignTypeInExportedSignatures(FerryBundle bundle) throws Exception {
        parameters(bundle, "Export-Package").forEach((name, attributes) -> {
            String uses = attributes.getOrDefault("uses:", "");
            assertThat(uses.isEmpty() ? List.<String>of() : Arrays.asList(uses.split(",")))
                    .as("packages used by the signatures of %s", name)
                    .allMatch(used -> used.startsWith(OURS));
        });
    }

    @ParameterizedTest
    @EnumSource
    void shouldRunOnJava17UnlessItHasNativeCode(FerryBundle bundle) throws Exception {
        int release = bundle == FerryBundle.VFIO_BACKEND ? 22 : 17;
        assertThat(parameters(bundle, "Require-Capability").entrySet().stream()
                        .filter(entry -> entry.getKey().equals("osgi.ee"))
                        .map(entry -> entry.getValue().get("filter:")))
                .containsExactly("(&(osgi.ee=JavaSE)(version=" + release + "))");
    }

    @ParameterizedTest
    @EnumSource
    void shouldWireOnlyByPackages(FerryBundle bundle) throws Exception {
        assertThat(header(bundle, "Require-Bundle")).isNull();
        assertThat(header(bundle, "DynamicImport-Package")).isNull();
        assertThat(header(bundle, "Fragment-Host")).isNull();
        assertThat(header(bundle, "Bundle-Activator")).isNull();
    }

    /** An optional import that is resolved later restarts the bundle that has it. */
    @ParameterizedTest
    @EnumSource
    void shouldHaveNoOptionalImport(FerryBundle bundle) throws Exception {
        assertThat(parameters(bundle, "Import-Package").entrySet())
                .filteredOn(entry -> "optional".equals(entry.getValue().get("resolution:")))
                .isEmpty();
    }

    @ParameterizedTest
    @EnumSource
    void shouldKeepPrivateCodeInPackagesOfItsOwnName(FerryBundle bundle) throws Exception {
        Set<String> exported = parameters(bundle, "Export-Package").keySet();
        assertThat(packages(bundle))
                .filteredOn(name -> name.startsWith(OURS) && !exported.contains(name))
                .allMatch(name -> name.startsWith(bundle.symbolicName() + ".internal") || isEmbedded(name));
    }

    @Test
    void shouldNotSplitPackages() throws Exception {
        Map<String, Set<String>> owners = new HashMap<>();
        for (FerryBundle bundle : FerryBundle.values()) {
            for (String name : packages(bundle)) {
                if (name.startsWith(OURS) && !isEmbedded(name)) {
                    owners.computeIfAbsent(name, any -> new TreeSet<>()).add(bundle.symbolicName());
                }
            }
        }
        assertThat(owners).isNotEmpty().allSatisfy((name, bundles) -> assertThat(bundles).as(name).hasSize(1));
    }

    /** What all commands share, and what all drivers of virtio members do, is a private copy in each such bundle. */
    private static boolean isEmbedded(String name) {
        return name.equals("dev.ferry.cli")
                || name.startsWith("dev.ferry.cli.")
                || name.equals("dev.ferry.virtio.driver")
                || name.startsWith("dev.ferry.virtio.driver.");
    }

    private static Parameters parameters(FerryBundle bundle, String header) throws IOException {
        Parameters parameters = OSGiHeader.parseHeader(header(bundle, header));
        for (Attrs attributes : parameters.values()) {
            assertThat(attributes).isNotNull();
        }
        return parameters;
    }

    private static String header(FerryBundle bundle, String name) throws IOException {
        try (JarFile jar = new JarFile(bundle.file().toFile())) {
            Attributes manifest = jar.getManifest().getMainAttributes();
            return manifest.getValue(name);
        }
    }

    private static Set<String> packages(FerryBundle bundle) throws IOException {
        try (JarFile jar = new JarFile(bundle.file().toFile())) {
            return jar.stream()
                    .map(JarEntry::getName)
                    .filter(name -> name.endsWith(".class"))
                    .map(name -> name.substring(0, name.lastIndexOf('/')).replace('/', '.'))
                    .collect(Collectors.toCollection(TreeSet::new));
        }
    }
}
