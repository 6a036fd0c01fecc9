// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.util.List;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Collectors;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.namespace.ExecutionEnvironmentNamespace;
import org.osgi.framework.wiring.BundleRequirement;
import org.osgi.framework.wiring.BundleRevision;
import org.osgi.framework.wiring.FrameworkWiring;
import org.osgi.resource.Namespace;

/** Says what bundles lack that were left out at the start, since they cannot be resolved. */
final class Unresolved {

    /** In the filter of a bundle's need for Java. */
    private static final Pattern LEAST_JAVA = Pattern.compile("version=(\\d+)");

    private Unresolved() {}

    /** The bundles that are left out; fragments, which nobody misses, are not told of. */
    static List<Bundle> bundles(BundleContext context) {
        return List.of(context.getBundles()).stream()
                .filter(bundle -> bundle.getState() == Bundle.INSTALLED)
                .filter(bundle -> bundle.getHeaders("").get(Constants.FRAGMENT_HOST) == null)
                .toList();
    }

    /** What one of them lacks: newer Java, or what nothing here offers; a clause that goes on from its name. */
    static String why(BundleContext context, Bundle bundle) {
        List<BundleRequirement> needs = bundle.adapt(BundleRevision.class).getDeclaredRequirements(null);
        int thisJava = Runtime.version().feature();
        int leastJava = leastJava(needs);
        if (thisJava < leastJava) {
            return "needs Java %d or newer, and this is Java %d; run Ferry with a newer one"
                    .formatted(leastJava, thisJava);
        }
        FrameworkWiring wiring =
                context.getBundle(Constants.SYSTEM_BUNDLE_LOCATION).adapt(FrameworkWiring.class);
        String missing = needs.stream()
                .filter(need -> isNeeded(need) && wiring.findProviders(need).isEmpty())
                .map(need -> need.getNamespace() + " " + filter(need))
                .collect(Collectors.joining(", "));
        return missing.isEmpty()
                ? "needs a bundle that is left out, too"
                : "needs what nothing here offers: %s; install that, or run Ferry with another Java".formatted(missing);
    }

    private static boolean isNeeded(BundleRequirement need) {
        String resolution = need.getDirectives().get(Namespace.REQUIREMENT_RESOLUTION_DIRECTIVE);
        String effective = need.getDirectives()
                .getOrDefault(Namespace.REQUIREMENT_EFFECTIVE_DIRECTIVE, Namespace.EFFECTIVE_RESOLVE);
        return !Namespace.RESOLUTION_OPTIONAL.equals(resolution) && Namespace.EFFECTIVE_RESOLVE.equals(effective);
    }

    /** 0 where it needs none. */
    private static int leastJava(List<BundleRequirement> needs) {
        String java = needs.stream()
                .filter(need -> need.getNamespace()
                        .equals(ExecutionEnvironmentNamespace.EXECUTION_ENVIRONMENT_NAMESPACE))
                .map(Unresolved::filter)
                .collect(Collectors.joining());
        Matcher least = LEAST_JAVA.matcher(java);
        return least.find() ? Integer.parseInt(least.group(1)) : 0;
    }

    private static String filter(BundleRequirement need) {
        return need.getDirectives().getOrDefault(Namespace.REQUIREMENT_FILTER_DIRECTIVE, "");
    }
}
