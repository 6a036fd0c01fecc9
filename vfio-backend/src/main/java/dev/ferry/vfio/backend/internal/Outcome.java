// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import dev.ferry.configuration.ConfigurationOutcome;
import java.util.Map;
import java.util.Optional;
import java.util.function.Function;
import org.osgi.framework.Constants;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What became of the configuration that was given last, for whoever gave it. Used by one thread at a time. */
final class Outcome {
    private static final Logger REFUSALS = LoggerFactory.getLogger(ConfigurationOutcome.class);

    private final Function<ConfigurationOutcome, Runnable> registry;
    private Runnable unregister = () -> {};

    /**
     * None yet.
     *
     * @param registry registers a service, and gives what unregisters it
     */
    Outcome(Function<ConfigurationOutcome, Runnable> registry) {
        this.registry = registry;
    }

    /** What was given is in force. */
    void taken(Map<String, ?> properties) {
        tell(properties, Optional.empty());
    }

    /** What was given is not in force. */
    void refused(Map<String, ?> properties, String reason) {
        REFUSALS.error("the configuration {} is not taken: {}", BackendConfiguration.PID, reason);
        tell(properties, Optional.of(reason));
    }

    /** The defaults are nobody's configuration: they have no PID, and nobody waits for an answer. */
    private void tell(Map<String, ?> properties, Optional<String> refusal) {
        withdraw();
        if (properties.get(Constants.SERVICE_PID) instanceof String pid) {
            unregister = registry.apply(new ConfigurationOutcome(pid, refusal));
        }
    }

    void withdraw() {
        unregister.run();
        unregister = () -> {};
    }
}
