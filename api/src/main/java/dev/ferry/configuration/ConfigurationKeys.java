// SPDX-License-Identifier: Apache-2.0
package dev.ferry.configuration;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Collection;
import java.util.Collections;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.function.Consumer;
import java.util.regex.MatchResult;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;

/**
 * The keys that a component's configurations have a meaning for. A component asks it for those that have none, which
 * are mistyped ones mostly, and tells them. Immutable.
 *
 * @param known the keys, sorted
 */
public record ConfigurationKeys(SortedSet<String> known) {

    /** What stands for what in the name of a method (OSGi Compendium 8, 112.8.2.1). */
    private static final Map<String, String> ESCAPES = Map.of("$_$", "-", "$$", "$", "__", "_", "$", "", "_", ".");
    private static final Pattern ESCAPE = Pattern.compile("\\$_\\$|\\$\\$|__|\\$|_");

    /** Keys of ConfigAdmin, of Declarative Services, of who brought the configuration and of services begin so. */
    private static final List<String> NOT_THE_USERS =
            List.of(".", "service.", "component.", "osgi.", "felix.", "org.", "ferry.");

    /** Declarative Services reads what ends so, behind the name of a reference (112.6.2). */
    private static final List<String> OF_REFERENCES = List.of(".target", ".cardinality.minimum");

    /** Copies the keys. */
    public ConfigurationKeys {
        known = Collections.unmodifiableSortedSet(new TreeSet<>(known));
    }

    /**
     * Those of a component property type: the names of its methods, with dots and hyphens where Declarative Services
     * has them. A type with {@code PREFIX_} is not supported.
     */
    public static ConfigurationKeys of(Class<?> componentPropertyType) {
        return new ConfigurationKeys(Arrays.stream(componentPropertyType.getDeclaredMethods())
                .map(Method::getName)
                .map(ESCAPE::matcher)
                .map(matcher -> matcher.replaceAll(ConfigurationKeys::unescaped))
                .collect(Collectors.toCollection(TreeSet::new)));
    }

    private static String unescaped(MatchResult escape) {
        return Matcher.quoteReplacement(ESCAPES.get(escape.group()));
    }

    /** Of the keys of a configuration the user's own that have no meaning, sorted. */
    public SortedSet<String> unknown(Collection<String> keys) {
        return keys.stream()
                .filter(key -> !known.contains(key)
                        && NOT_THE_USERS.stream().noneMatch(key::startsWith)
                        && OF_REFERENCES.stream().noneMatch(key::endsWith))
                .collect(Collectors.toCollection(TreeSet::new));
    }

    /**
     * Tells in one sentence which keys of a configuration have no meaning, if any.
     *
     * @param pid of the configuration, as whoever made it knows it
     * @param complaints takes the sentence, as a log does
     */
    public void tellUnknown(String pid, Collection<String> keys, Consumer<String> complaints) {
        SortedSet<String> unknown = unknown(keys);
        if (!unknown.isEmpty()) {
            complaints.accept("the configuration %s has keys without effect: %s; the keys are %s"
                    .formatted(pid, String.join(", ", unknown), String.join(", ", known)));
        }
    }
}
