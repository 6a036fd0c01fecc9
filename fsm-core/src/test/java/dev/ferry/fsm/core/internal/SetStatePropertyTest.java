// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.core.internal.table.FeatureTransitionTable;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.StateChange;
import java.util.EnumSet;
import java.util.List;
import java.util.Set;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;

class SetStatePropertyTest {

    private final FeatureTransitionTable table = new FeatureTransitionTable();

    @Provide
    Arbitrary<Set<MigrationFeature>> features() {
        return Arbitraries.subsetOf(MigrationFeature.P2P, MigrationFeature.PRE_COPY).map(optional -> {
            Set<MigrationFeature> features = EnumSet.of(MigrationFeature.STOP_COPY);
            features.addAll(optional);
            return features;
        });
    }

    /** What is asked for, and whether the first arc on the way there fails, or the device is reset from elsewhere. */
    record Request(DeviceState target, Trouble trouble) {}

    enum Trouble {
        NONE,
        ARC_FAILS,
        RESET_BEFORE
    }

    @Provide
    Arbitrary<List<Request>> requests() {
        return net.jqwik.api.Combinators.combine(Arbitraries.of(DeviceState.class), Arbitraries.of(Trouble.class))
                .as(Request::new)
                .list()
                .ofMaxSize(30);
    }

    @Property(tries = 300)
    void shouldAlwaysBeWhereTheTableSays(
            @ForAll("features") Set<MigrationFeature> features, @ForAll("requests") List<Request> requests) {
        try (MigrationRig rig = new MigrationRig(features)) {
            DeviceState model = DeviceState.RUNNING;
            for (Request request : requests) {
                model = step(rig, features, model, request);
                assertThat(rig.source.state).isEqualTo(model);
                assertThat(rig.source.hasOpenSession()).isEqualTo(model.hasSession());
            }
            rig.assertNoBreaches();
        }
    }

    private DeviceState step(MigrationRig rig, Set<MigrationFeature> features, DeviceState before, Request request) {
        DeviceState from = before;
        if (request.trouble() == Trouble.RESET_BEFORE) {
            reset(rig);
            from = DeviceState.RUNNING;
        }
        boolean refused = table.refusal(features, from, request.target()).isPresent();
        List<Arc> path = refused ? List.of() : table.path(features, from, request.target());
        // Nothing is loaded here, so a device in RESUMING refuses to leave it: only a reset abandons it.
        boolean incomplete = from == DeviceState.RESUMING && !path.isEmpty();
        boolean fails = incomplete || request.trouble() == Trouble.ARC_FAILS && !path.isEmpty();
        if (fails && !incomplete) {
            rig.source.once(path.get(0), () -> {
                throw new DeviceException(Errno.EIO, "scripted");
            });
        }
        try {
            StateChange change = rig.service.setState(MigrationRig.SOURCE, request.target());
            assertThat(refused || fails).isFalse();
            assertThat(change).isEqualTo(new StateChange(MigrationRig.SOURCE, from, path, request.target()));
            return request.target();
        } catch (MigrationException e) {
            assertThat(refused || fails).isTrue();
            assertThat(e.failure().code())
                    .isEqualTo(refused ? FailureCode.TRANSITION_REFUSED : FailureCode.DEVICE_FAILED);
            return from;
        }
    }

    private static void reset(MigrationRig rig) {
        try {
            rig.source.reset();
        } catch (DeviceException e) {
            throw new AssertionError(e);
        }
    }
}
