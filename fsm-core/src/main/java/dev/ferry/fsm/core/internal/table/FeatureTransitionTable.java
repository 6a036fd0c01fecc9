// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.table;

import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.TransitionTable;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/**
 * The transition table for each of the eight sets of features, worked out once: a lookup is one read of an array and
 * allocates nothing. Immutable.
 */
@Component(name = "dev.ferry.fsm.core.transitions", service = TransitionTable.class)
public final class FeatureTransitionTable implements TransitionTable {

    private static final int STATES = DeviceState.values().length;
    private static final MigrationFeature[] FEATURES = MigrationFeature.values();
    private static final int FEATURE_SETS = 1 << FEATURES.length;

    private final Route[] routes = new Route[FEATURE_SETS * STATES * STATES];

    /** Works out all routes. */
    @Activate
    public FeatureTransitionTable() {
        for (int flags = 0; flags < FEATURE_SETS; flags++) {
            Set<MigrationFeature> features = MigrationFeature.ofFlags(flags);
            for (DeviceState from : DeviceState.values()) {
                for (DeviceState to : DeviceState.values()) {
                    routes[index(flags, from, to)] = Route.of(features, from, to);
                }
            }
        }
    }

    @Override
    public Optional<DeviceState> next(Set<MigrationFeature> features, DeviceState from, DeviceState to) {
        return route(features, from, to).next();
    }

    @Override
    public List<Arc> path(Set<MigrationFeature> features, DeviceState from, DeviceState to) {
        Route route = route(features, from, to);
        if (route.refusal().isPresent()) {
            throw new IllegalArgumentException(route.refusal().get());
        }
        return route.path();
    }

    @Override
    public Optional<String> refusal(Set<MigrationFeature> features, DeviceState from, DeviceState to) {
        return route(features, from, to).refusal();
    }

    private Route route(Set<MigrationFeature> features, DeviceState from, DeviceState to) {
        return routes[index(flagsOf(features), from, to)];
    }

    /** As {@link MigrationFeature#flagsOf}, without an iterator. */
    private static int flagsOf(Set<MigrationFeature> features) {
        int flags = 0;
        for (MigrationFeature feature : FEATURES) {
            if (features.contains(feature)) {
                flags |= (int) feature.flag();
            }
        }
        return flags;
    }

    private static int index(int flags, DeviceState from, DeviceState to) {
        return (flags * STATES + from.number()) * STATES + to.number();
    }

    /** What the table knows about one pair of states: the way, or why there is none. */
    private record Route(Optional<DeviceState> next, List<Arc> path, Optional<String> refusal) {

        static Route of(Set<MigrationFeature> features, DeviceState from, DeviceState to) {
            Optional<DeviceState> next = NextState.of(features, from, to);
            return next.isPresent()
                    ? new Route(next, arcs(features, from, to), Optional.empty())
                    : new Route(next, List.of(), Optional.of(Refusal.of(features, from, to)));
        }

        private static List<Arc> arcs(Set<MigrationFeature> features, DeviceState from, DeviceState to) {
            List<Arc> arcs = new ArrayList<>();
            DeviceState at = from;
            while (at != to) {
                DeviceState next = NextState.of(features, at, to).orElseThrow();
                arcs.add(Arc.between(at, next).orElseThrow());
                at = next;
            }
            return List.copyOf(arcs);
        }
    }
}
