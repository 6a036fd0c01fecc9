// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.util.List;
import java.util.Optional;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.namespace.ExecutionEnvironmentNamespace;
import org.osgi.framework.wiring.BundleRevision;

/** Why the VFIO devices of the host are left out, when they are: their bundle needs newer Java than all others. */
final class VfioAvailability {

    /** In the filter of a bundle's need for Java. */
    private static final Pattern LEAST_JAVA = Pattern.compile("version=(\\d+)");

    private VfioAvailability() {}

    /**
     * One sentence, or nothing when the bundle runs.
     *
     * @param configured whether somebody asks for VFIO devices; a bundle that nobody misses is not told of
     */
    static Optional<String> obstacle(BundleContext context, boolean configured) {
        Optional<Bundle> bundle = List.of(context.getBundles()).stream()
                .filter(each -> Configuration.VFIO_BACKEND.equals(each.getSymbolicName()))
                .findFirst();
        if (bundle.isEmpty()) {
            return configured ? Optional.of(sentence("is not installed; install it")) : Optional.empty();
        }
        return switch (bundle.get().getState()) {
            case Bundle.ACTIVE, Bundle.STARTING -> Optional.empty();
            case Bundle.RESOLVED -> Optional.of(sentence("is stopped; start it"));
            default -> Optional.of(sentence(whyUnresolved(leastJava(bundle.get()), Runtime.version().feature())));
        };
    }

    /** Its Java, or a package, or anything else that a bundle needs. */
    private static String whyUnresolved(int leastJava, int thisJava) {
        return thisJava < leastJava
                ? "needs Java %d or newer, and this is Java %d; run Ferry with a newer one"
                        .formatted(leastJava, thisJava)
                : "is not resolved: something that it needs is missing, and the error in the log says what; install it";
    }

    private static String sentence(String why) {
        return "VFIO devices are left out, and all else works: the bundle " + Configuration.VFIO_BACKEND + " " + why;
    }

    /** 0 where it needs none. */
    private static int leastJava(Bundle bundle) {
        String needs = bundle
                .adapt(BundleRevision.class)
                .getDeclaredRequirements(ExecutionEnvironmentNamespace.EXECUTION_ENVIRONMENT_NAMESPACE)
                .stream()
                .map(requirement -> requirement.getDirectives().get(Constants.FILTER_DIRECTIVE))
                .collect(Collectors.joining());
        Matcher least = LEAST_JAVA.matcher(needs);
        return least.find() ? Integer.parseInt(least.group(1)) : 0;
    }
}
