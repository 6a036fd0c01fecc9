// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.itest.harness.Await;
import dev.ferry.itest.harness.Components;
import dev.ferry.itest.harness.FerryIT;
import java.io.IOException;
import java.io.InputStream;
import java.net.URL;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Collections;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.regex.MatchResult;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.junit.Test;
import org.ops4j.pax.exam.spi.reactors.ExamReactorStrategy;
import org.ops4j.pax.exam.spi.reactors.PerClass;
import org.osgi.framework.Bundle;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** Whatever can be configured tells of a mistyped key, and of nothing else; the PIDs are those that tools are told. */
@ExamReactorStrategy(PerClass.class)
public class ConfigurationKeysIT extends FerryIT {
    private static final String MISTYPED = "no.such.key";
    private static final String ANY_BUNDLE = "?";
    private static final Pattern DESIGNATE = Pattern.compile("<Designate (factoryPid|pid)=\"([^\"]+)\"");
    private static final Pattern KEY = Pattern.compile("<AD id=\"([^\"]+)\"");
    private static final Pattern HOUSE_STYLE = Pattern.compile("[a-z]+(\\.[a-z]+)*");

    @Test
    public void shouldTellOfAMistypedKeyWhenAnyPidIsConfigured() throws Exception {
        assertThat(matches(DESIGNATE)).hasSizeGreaterThanOrEqualTo(7);
        for (MatchResult designate : matches(DESIGNATE)) {
            long before = log().size();
            Configuration configuration = configure(designate.group(1).equals("factoryPid"), designate.group(2));
            try {
                Await.until(context, "a warning of " + configuration.getPid(),
                        () -> !warnings(configuration, before).isEmpty(), () -> Components.report(context));
                assertThat(warnings(configuration, before)).hasSize(1).first().asString()
                        .contains("has keys without effect: " + MISTYPED + "; the keys are ");
            } finally {
                configuration.delete();
            }
        }
    }

    private Configuration configure(boolean factory, String pid) throws IOException {
        ConfigurationAdmin admin = context.getService(context.getServiceReference(ConfigurationAdmin.class));
        Configuration configuration = factory
                ? admin.createFactoryConfiguration(pid, ANY_BUNDLE)
                : admin.getConfiguration(pid, ANY_BUNDLE);
        configuration.update(new Hashtable<>(Map.of(MISTYPED, 1)));
        return configuration;
    }

    /** The warnings of a configuration behind the lines that were there before it: other runs use the same file. */
    private static List<String> warnings(Configuration configuration, long before) throws IOException {
        return log().stream()
                .skip(before)
                .filter(line -> line.contains("WARN") && line.contains(configuration.getPid() + " has keys"))
                .toList();
    }

    private static List<String> log() throws IOException {
        return Files.readAllLines(Path.of(System.getProperty("ferry.itest.log")));
    }

    /** What the bundles of Ferry tell tools about their configurations. */
    private List<MatchResult> matches(Pattern pattern) {
        return Arrays.stream(context.getBundles())
                .filter(bundle -> bundle.getSymbolicName().startsWith("dev.ferry."))
                .flatMap(ConfigurationKeysIT::descriptions)
                .flatMap(text -> pattern.matcher(text).results())
                .toList();
    }

    private static Stream<String> descriptions(Bundle bundle) {
        var found = bundle.findEntries("OSGI-INF/metatype", "*.xml", false);
        return found == null ? Stream.of() : Collections.list(found).stream().map(ConfigurationKeysIT::text);
    }

    private static String text(URL url) {
        try (InputStream in = url.openStream()) {
            return new String(in.readAllBytes(), StandardCharsets.UTF_8);
        } catch (IOException e) {
            throw new IllegalStateException(e);
        }
    }

    @Test
    public void shouldSpellAllKeysInOneWay() {
        SortedSet<String> keys = new TreeSet<>();
        matches(KEY).forEach(key -> keys.add(key.group(1)));
        assertThat(keys).contains("host").allMatch(HOUSE_STYLE.asMatchPredicate());
    }
}
