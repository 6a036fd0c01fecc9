// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal;

import java.lang.reflect.Method;
import java.util.Arrays;
import java.util.Collections;
import java.util.Set;
import java.util.SortedSet;
import java.util.TreeSet;
import java.util.stream.Collectors;

/** The keys of a configuration of an adapter. */
final class ConfigurationKeys {

    /** Those that mean something, sorted: the component property type has a method of each name. */
    static final SortedSet<String> KNOWN = Arrays.stream(AdapterConfiguration.class.getDeclaredMethods())
            .map(Method::getName)
            .collect(Collectors.collectingAndThen(
                    Collectors.toCollection(TreeSet::new), Collections::unmodifiableSortedSet));

    private ConfigurationKeys() {}

    /** The keys that mean nothing, sorted; one with a dot is not the user's but of who brought the configuration. */
    static SortedSet<String> unknown(Set<String> keys) {
        return keys.stream()
                .filter(key -> !key.contains(".") && !KNOWN.contains(key))
                .collect(Collectors.toCollection(TreeSet::new));
    }
}
