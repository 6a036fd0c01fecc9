// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.MigrationFeature;
import java.util.EnumSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

/** Any one call goes wrong in a migration of any size and kind. */
class LiveFaultPropertyTest {

    @Property(tries = 400)
    void shouldLeaveExactlyOneSideRunning(
            @ForAll FaultyMigration.Fault fault,
            @ForAll @IntRange(min = 1, max = 16) int devices,
            @ForAll @IntRange(min = 0, max = 400) int at,
            @ForAll boolean preCopyDevices,
            @ForAll boolean tracked,
            @ForAll @IntRange(min = 1, max = 40) int readLimit,
            @ForAll long seed) {
        Set<MigrationFeature> features = preCopyDevices
                ? MigrationRig.ALL
                : EnumSet.of(MigrationFeature.STOP_COPY, MigrationFeature.P2P);
        try (LiveRig rig = new LiveRig(devices, features, LiveRig.MEMORY)) {
            rig.sources.get(devices - 1).tracked = tracked;
            rig.sources.forEach(source -> source.readLimit = readLimit);
            List<TicketPool> objects = rig.limitSessions(devices);
            // Of few devices there are fewer calls to choose from.
            FaultyMigration.run(rig, rig.request(), fault, at * devices / 4, new Random(seed));
            assertThat(objects).extracting(TicketPool::open).as("objects left").containsOnly(0);
        }
    }
}
