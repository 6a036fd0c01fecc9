// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.util.HashMap;
import java.util.List;
import java.util.Map;

/** The emulated adapters among configurations, by the ids of their owner devices. */
final class Adapters {

    private static final String HOST = "host";
    private static final String NAME = "name";

    private Adapters() {}

    /** Id of the owner device of an adapter with these properties. */
    static String ownerId(Map<String, Object> properties) {
        return properties.get(HOST) + "/" + properties.get(NAME);
    }

    /**
     * Sees to it that each adapter has an id of its own, without which nobody could say which one is missing.
     *
     * @throws IllegalArgumentException when one has no host or no name, or two have the same
     */
    static void requireOwnIds(List<Configuration> configurations) {
        Map<String, Configuration> byOwner = new HashMap<>();
        for (Configuration configuration : configurations) {
            if (configuration.isAdapter()) {
                require(configuration, HOST);
                require(configuration, NAME);
                String owner = ownerId(configuration.properties());
                Configuration other = byOwner.put(owner, configuration);
                if (other != null) {
                    String sentence = "%s and %s both are the adapter %s; change %s or %s in one of them";
                    throw new IllegalArgumentException(
                            sentence.formatted(other.pid(), configuration.pid(), owner, HOST, NAME));
                }
            }
        }
    }

    private static void require(Configuration configuration, String key) {
        Object value = configuration.properties().get(key);
        if (value == null || value.toString().isBlank()) {
            throw new IllegalArgumentException("%s has no %s".formatted(configuration.pid(), key));
        }
    }
}
