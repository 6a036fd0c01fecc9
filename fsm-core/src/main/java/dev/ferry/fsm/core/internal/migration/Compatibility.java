// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.device.DeviceProfile;
import dev.ferry.device.DeviceProfile.Aspect;
import dev.ferry.device.DeviceProfile.Exact;
import dev.ferry.device.DeviceProfile.Limits;
import dev.ferry.device.DeviceProfile.Names;
import dev.ferry.device.DeviceProfile.Trait;
import dev.ferry.migration.Finding;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Optional;
import java.util.TreeSet;

/**
 * Compares what the state of a source asks for with what a destination takes, trait by trait. Knows no trait by its
 * name.
 */
final class Compatibility {

    /** The most names or values that one message lists. */
    private static final int MOST_LISTED = 8;

    private final String source;
    private final String destination;
    private final List<Finding> findings = new ArrayList<>();

    private Compatibility(String source, String destination) {
        this.source = source;
        this.destination = destination;
    }

    /** Everything that does not fit. */
    static List<Finding> findings(
            String source, DeviceProfile sourceProfile, String destination, DeviceProfile destinationProfile) {
        Compatibility comparison = new Compatibility(source, destination);
        for (Trait asked : sourceProfile.asks()) {
            destinationProfile.takes().stream()
                    .filter(taken -> taken.name().equals(asked.name()) && taken.getClass() == asked.getClass())
                    .findFirst()
                    .flatMap(taken -> difference(asked, taken))
                    .ifPresent(message -> comparison.add(asked.aspect(), message));
        }
        return comparison.findings;
    }

    private static Optional<String> difference(Trait asked, Trait taken) {
        if (asked instanceof Exact wanted && taken instanceof Exact own) {
            return difference(wanted, own);
        }
        if (asked instanceof Names wanted && taken instanceof Names own) {
            return difference(wanted, own);
        }
        return asked instanceof Limits wanted && taken instanceof Limits own
                ? difference(wanted, own)
                : Optional.empty();
    }

    private static Optional<String> difference(Exact asked, Exact taken) {
        if (asked.values().equals(taken.values())) {
            return Optional.empty();
        }
        if (asked.values().size() == 1 && taken.values().size() == 1) {
            return Optional.of("its %s is %s, but %s at the source"
                    .formatted(taken.name(), taken.values().first(), asked.values().first()));
        }
        List<String> parts = new ArrayList<>();
        addDifference(parts, "lacks ", asked.values(), taken.values());
        addDifference(parts, "has besides ", taken.values(), asked.values());
        return Optional.of("its %s are not those of the source: it %s"
                .formatted(taken.name(), String.join(", and ", parts)));
    }

    private static Optional<String> difference(Names asked, Names taken) {
        List<String> parts = new ArrayList<>();
        addDifference(parts, "", asked.values(), taken.values());
        return parts.isEmpty()
                ? Optional.empty()
                : Optional.of("it does not take, of the %s of the source, %s".formatted(asked.name(), parts.get(0)));
    }

    private static void addDifference(
            List<String> parts, String before, Collection<String> these, Collection<String> those) {
        TreeSet<String> missing = new TreeSet<>(these);
        missing.removeAll(those);
        if (!missing.isEmpty()) {
            parts.add(before + join(missing));
        }
    }

    private static Optional<String> difference(Limits asked, Limits taken) {
        List<String> exceeded = new ArrayList<>();
        asked.values().forEach((key, wanted) -> {
            Long most = taken.values().get(key);
            if (most != null && wanted > most) {
                exceeded.add("%d of %s where %d is the most".formatted(wanted, key, most));
            }
        });
        return exceeded.isEmpty()
                ? Optional.empty()
                : Optional.of("the %s of the source is too large for it: %s".formatted(asked.name(), join(exceeded)));
    }

    private static String join(Collection<String> values) {
        List<String> first = values.stream().limit(MOST_LISTED).toList();
        String more = values.size() > first.size() ? " and %d more".formatted(values.size() - first.size()) : "";
        return String.join(", ", first) + more;
    }

    private void add(Aspect aspect, String message) {
        findings.add(new Finding(
                code(aspect),
                destination,
                "%s: %s; choose another destination for %s.".formatted(destination, message, source)));
    }

    private static Finding.Code code(Aspect aspect) {
        return switch (aspect) {
            case FEATURES -> Finding.Code.FEATURES_MISMATCH;
            case PARTS -> Finding.Code.PARTS_MISMATCH;
            case QUEUES -> Finding.Code.QUEUES_MISMATCH;
            case LIMITS -> Finding.Code.LIMIT_EXCEEDED;
            case RECORDS -> Finding.Code.RECORDS_MISMATCH;
        };
    }
}
