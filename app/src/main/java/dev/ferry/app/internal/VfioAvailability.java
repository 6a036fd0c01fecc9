// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.util.List;
import java.util.Optional;
import org.osgi.framework.Bundle;
import org.osgi.framework.BundleContext;

/** Why the VFIO devices of the host are left out, when they are: their bundle needs newer Java than all others, say. */
final class VfioAvailability {

    private VfioAvailability() {}

    /** Whether it is the bundle of which {@link #obstacle} tells. */
    static boolean isAbout(Bundle bundle) {
        return Configuration.VFIO_BACKEND.equals(bundle.getSymbolicName());
    }

    /**
     * One sentence, or nothing when the bundle runs.
     *
     * @param configured whether somebody asks for VFIO devices; a bundle that nobody misses is not told of
     */
    static Optional<String> obstacle(BundleContext context, boolean configured) {
        Optional<Bundle> bundle = List.of(context.getBundles()).stream()
                .filter(VfioAvailability::isAbout)
                .findFirst();
        if (bundle.isEmpty()) {
            return configured ? Optional.of(sentence("is not installed; install it")) : Optional.empty();
        }
        return switch (bundle.get().getState()) {
            case Bundle.ACTIVE, Bundle.STARTING -> Optional.empty();
            case Bundle.RESOLVED -> Optional.of(sentence("is stopped; start it"));
            default -> Optional.of(sentence(Unresolved.why(context, bundle.get())));
        };
    }

    private static String sentence(String why) {
        return "VFIO devices are not available (everything else is): the bundle "
                + Configuration.VFIO_BACKEND + " " + why;
    }
}
