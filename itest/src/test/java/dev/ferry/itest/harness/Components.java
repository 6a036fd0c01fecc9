// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.ServiceReference;
import org.osgi.framework.wiring.BundleRevision;
import org.osgi.framework.wiring.BundleWiring;
import org.osgi.service.component.runtime.ServiceComponentRuntime;
import org.osgi.service.component.runtime.dto.ComponentConfigurationDTO;
import org.osgi.service.component.runtime.dto.ComponentDescriptionDTO;
import org.osgi.service.component.runtime.dto.UnsatisfiedReferenceDTO;

/** What Declarative Services say about the components of the Ferry bundles. */
public final class Components {
    private Components() {}

    /** One line for each component that is not satisfied, with what it lacks; empty when all is well. */
    public static List<String> unsatisfied(BundleContext context) {
        return withRuntime(context, (runtime, bundles) -> {
            List<String> lines = new ArrayList<>();
            for (ComponentDescriptionDTO description : runtime.getComponentDescriptionDTOs(bundles)) {
                lines.addAll(unsatisfied(runtime, description));
            }
            return lines;
        });
    }

    /** The names of all components, sorted, each with its bundle. */
    public static List<String> names(BundleContext context) {
        return withRuntime(context, (runtime, bundles) -> runtime.getComponentDescriptionDTOs(bundles).stream()
                .map(description -> description.bundle.symbolicName + " " + description.name)
                .sorted()
                .toList());
    }

    /** Bundles that are not active and components that are not satisfied, as text for a failure. */
    public static String report(BundleContext context) {
        List<String> lines = new ArrayList<>();
        for (Bundle bundle : context.getBundles()) {
            if (bundle.getState() != Bundle.ACTIVE && !isFragment(bundle)) {
                lines.add("bundle " + bundle.getSymbolicName() + " is not active: state " + bundle.getState());
            }
        }
        lines.addAll(unsatisfied(context));
        return lines.isEmpty() ? "all bundles are active, all components satisfied" : String.join("\n", lines);
    }

    private static boolean isFragment(Bundle bundle) {
        return (bundle.adapt(BundleRevision.class).getTypes() & BundleRevision.TYPE_FRAGMENT) != 0;
    }

    private static List<String> unsatisfied(ServiceComponentRuntime runtime, ComponentDescriptionDTO description) {
        String component = "component " + description.name + " of " + description.bundle.symbolicName;
        if (!runtime.isComponentEnabled(description)) {
            return List.of(component + " is not enabled");
        }
        var configurations = runtime.getComponentConfigurationDTOs(description);
        if (configurations.isEmpty()) {
            return List.of(component + " lacks its configuration " + Arrays.toString(description.configurationPid));
        }
        List<String> lines = new ArrayList<>();
        for (ComponentConfigurationDTO configuration : configurations) {
            switch (configuration.state) {
                case ComponentConfigurationDTO.SATISFIED, ComponentConfigurationDTO.ACTIVE -> {}
                case ComponentConfigurationDTO.UNSATISFIED_CONFIGURATION ->
                    lines.add(component + " lacks its configuration "
                            + Arrays.toString(description.configurationPid));
                case ComponentConfigurationDTO.UNSATISFIED_REFERENCE -> {
                    for (UnsatisfiedReferenceDTO reference : configuration.unsatisfiedReferences) {
                        lines.add(component + " lacks reference '" + reference.name + "' to "
                                + interfaceOf(description, reference.name) + target(reference.target));
                    }
                }
                case ComponentConfigurationDTO.FAILED_ACTIVATION ->
                    lines.add(component + " failed to activate: " + configuration.failure);
                default -> lines.add(component + " is in the unknown state " + configuration.state);
            }
        }
        return lines;
    }

    private static String interfaceOf(ComponentDescriptionDTO description, String reference) {
        return Arrays.stream(description.references)
                .filter(candidate -> candidate.name.equals(reference))
                .map(candidate -> candidate.interfaceName)
                .findFirst()
                .orElse("?");
    }

    private static String target(String target) {
        return target == null ? "" : " with target " + target;
    }

    @FunctionalInterface
    private interface Question<T> {
        T ask(ServiceComponentRuntime runtime, Bundle... bundles);
    }

    private static <T> T withRuntime(BundleContext context, Question<T> question) {
        ServiceReference<ServiceComponentRuntime> reference =
                context.getServiceReference(ServiceComponentRuntime.class);
        Bundle[] bundles = Arrays.stream(context.getBundles())
                .filter(bundle -> bundle.getSymbolicName().startsWith("dev.ferry.")
                        && bundle.adapt(BundleWiring.class) != null)
                .toArray(Bundle[]::new);
        try {
            return question.ask(context.getService(reference), bundles);
        } finally {
            context.ungetService(reference);
        }
    }
}
