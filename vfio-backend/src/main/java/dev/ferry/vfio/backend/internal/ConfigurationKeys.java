// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Collections;
import java.util.List;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The keys of a configuration of the backend. */
final class ConfigurationKeys {

    /** Those that mean something, sorted: the component property type has a method of each name. */
    static final SortedSet<String> KNOWN = Arrays.stream(BackendConfiguration.class.getDeclaredMethods())
            .map(Method::getName)
            .map(name -> name.replace('_', '.'))
            .collect(Collectors.collectingAndThen(
                    Collectors.toCollection(TreeSet::new), Collections::unmodifiableSortedSet));

    /** Keys of ConfigAdmin, of Declarative Services and of who brought the configuration begin so. */
    private static final List<String> NOT_THE_USERS = List.of(".", "service.", "component.", "osgi.", "felix.", "org.");

    private ConfigurationKeys() {}

    /** The user's keys that mean nothing, sorted. */
    static SortedSet<String> unknown(Set<String> keys) {
        return keys.stream()
                .filter(key -> !KNOWN.contains(key) && NOT_THE_USERS.stream().noneMatch(key::startsWith))
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
