// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.table;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.util.EnumSet;
import java.util.Set;
import java.util.stream.Collectors;

/** Says for a person why there is no way from one state to another. Pure. */
final class Refusal {

    private Refusal() {}

    /** One sentence; only for pairs that the table refuses. */
    static String of(Set<MigrationFeature> features, DeviceState from, DeviceState to) {
        if (from == DeviceState.ERROR) {
            return "A device in ERROR takes no request: only a reset leads out, to RUNNING and without its old state.";
        }
        if (to == DeviceState.ERROR) {
            return "ERROR cannot be asked for: a device goes there by itself when an arc fails badly.";
        }
        if (!from.isSupportedBy(features)) {
            return "The device cannot be in " + from + lacking(features, from);
        }
        if (!to.isSupportedBy(features)) {
            return "The device cannot go to " + to + lacking(features, to);
        }
        return "The way from " + from + " to " + to + " is blocked: a saving session that has begun its final part "
                + "cannot go on with a device that runs; go to RUNNING first, which ends the session, and then to " + to
                + ".";
    }

    private static String lacking(Set<MigrationFeature> features, DeviceState state) {
        Set<MigrationFeature> missing = EnumSet.copyOf(state.requires());
        missing.removeAll(features);
        return ": that state needs " + names(state.requires()) + ", and the device lacks " + names(missing) + ".";
    }

    private static String names(Set<MigrationFeature> features) {
        return features.stream().map(MigrationFeature::name).collect(Collectors.joining(" and "));
    }
}
