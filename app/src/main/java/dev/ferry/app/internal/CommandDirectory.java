// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.SortedMap;
import java.util.TreeMap;
import java.util.TreeSet;
import org.osgi.framework.BundleContext;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;

/** The commands that bundles offer now, as the properties of their services describe them. Immutable. */
final class CommandDirectory {

    /** Scope of the commands that the application shows. */
    static final String SCOPE = "ferry";

    private static final String SCOPE_PROPERTY = "osgi.command.scope";
    private static final String FUNCTION_PROPERTY = "osgi.command.function";
    /** Service property, String+: {@code NAME:TEXT}, one line about a command. */
    private static final String SUMMARY_PROPERTY = "ferry.command.summary";
    /** Service property, String+: names of the commands that work on devices. */
    private static final String DEVICES_PROPERTY = "ferry.command.devices";

    private final SortedMap<String, String> summaries = new TreeMap<>();
    private final Set<String> onDevices = new TreeSet<>();

    /** The commands of services with these properties. */
    CommandDirectory(Collection<Map<String, Object>> services) {
        for (Map<String, Object> properties : services) {
            strings(properties.get(FUNCTION_PROPERTY)).forEach(name -> summaries.putIfAbsent(name, ""));
            onDevices.addAll(strings(properties.get(DEVICES_PROPERTY)));
            for (String summary : strings(properties.get(SUMMARY_PROPERTY))) {
                int colon = summary.indexOf(':');
                summaries.computeIfPresent(
                        summary.substring(0, Math.max(colon, 0)), (name, none) -> summary.substring(colon + 1));
            }
        }
    }

    /** The commands of the services that are registered now. */
    static CommandDirectory of(BundleContext context) {
        String filter = "(&(" + SCOPE_PROPERTY + "=" + SCOPE + ")(" + FUNCTION_PROPERTY + "=*))";
        try {
            ServiceReference<?>[] found = context.getAllServiceReferences(null, filter);
            return new CommandDirectory(found == null
                    ? List.of()
                    : List.of(found).stream()
                            .map(CommandDirectory::properties)
                            .toList());
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }

    /** Whether there is a command of this name. */
    boolean has(String name) {
        return summaries.containsKey(name);
    }

    /** Whether a command of this name works on devices. */
    boolean needsDevices(String name) {
        return onDevices.contains(name);
    }

    /** The names, sorted, for a sentence. */
    String names() {
        return summaries.isEmpty() ? "none" : String.join(", ", summaries.keySet());
    }

    /** One line per command: name and what it does. */
    String lines() {
        int width = summaries.keySet().stream().mapToInt(String::length).max().orElse(0);
        StringBuilder lines = new StringBuilder();
        summaries.forEach((name, summary) -> lines.append(
                ("  " + name + " ".repeat(width - name.length()) + "  " + summary).stripTrailing() + "\n"));
        return lines.toString();
    }

    private static Map<String, Object> properties(ServiceReference<?> reference) {
        Map<String, Object> properties = new TreeMap<>();
        for (String key : List.of(FUNCTION_PROPERTY, SUMMARY_PROPERTY, DEVICES_PROPERTY)) {
            Optional.ofNullable(reference.getProperty(key)).ifPresent(value -> properties.put(key, value));
        }
        return properties;
    }

    private static List<String> strings(Object value) {
        if (value instanceof String one) {
            return List.of(one);
        }
        return value instanceof String[] several ? List.of(several) : List.of();
    }
}
