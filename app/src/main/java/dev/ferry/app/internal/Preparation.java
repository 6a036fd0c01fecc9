// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.function.Consumer;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.runtime.ServiceComponentRuntime;

/** Puts the configuration in place and waits for its devices, ahead of the first command that works on them. */
final class Preparation {

    /** A device that takes longer alone is none that somebody waits for at a prompt. */
    private static final Duration PATIENCE = Duration.ofSeconds(10);

    private final BundleContext context;
    private final ConfigurationAdmin configurations;
    private final ServiceComponentRuntime components;
    private final Consumer<String> complaints;

    /**
     * Does nothing yet.
     *
     * @param complaints told, in a sentence, of what has no effect but keeps no command from running
     */
    Preparation(
            BundleContext context,
            ConfigurationAdmin configurations,
            ServiceComponentRuntime components,
            Consumer<String> complaints) {
        this.context = context;
        this.configurations = configurations;
        this.components = components;
        this.complaints = complaints;
    }

    /** Returns what is missing, in sentences; empty when commands can run. */
    List<String> run(Optional<Path> file) throws IOException, InterruptedException {
        List<Configuration> wanted = ConfigurationFile.read(file);
        for (Configuration configuration : wanted) {
            give(configuration);
        }
        Readiness readiness = new Readiness(context, taken(wanted));
        List<String> missing = readiness.await(PATIENCE);
        List<String> refused = readiness.refused();
        if (missing.isEmpty() || !refused.isEmpty()) {
            return refused;
        }
        List<String> sentences = new ArrayList<>();
        sentences.add("nothing new for %d s; still missing: %s"
                .formatted(PATIENCE.toSeconds(), String.join(", ", missing)));
        sentences.addAll(Unsatisfied.of(components));
        return sentences;
    }

    private void give(Configuration configuration) throws IOException {
        org.osgi.service.cm.Configuration place = configuration.name().isEmpty()
                ? configurations.getConfiguration(configuration.factoryPid(), "?")
                : configurations.getFactoryConfiguration(configuration.factoryPid(), configuration.name(), "?");
        place.update(configuration.dictionary());
    }

    /** What nobody takes is told of, and not waited for. */
    private List<Configuration> taken(List<Configuration> wanted) {
        Takers takers = Takers.of(context, components);
        Optional<String> withoutVfio =
                VfioAvailability.obstacle(context, wanted.stream().anyMatch(Configuration::isVfio));
        withoutVfio.ifPresent(complaints);
        List<Configuration> taken = new ArrayList<>();
        for (Configuration configuration : wanted) {
            if (takers.has(configuration.factoryPid())) {
                taken.add(configuration);
            } else if (withoutVfio.isEmpty() || !configuration.isVfio()) {
                complaints.accept(
                        "nothing here takes the configuration " + configuration.pid() + ", which has no effect");
            }
        }
        return taken;
    }
}
