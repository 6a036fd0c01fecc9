// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm;

import static dev.ferry.fsm.MigrationFeature.P2P;
import static dev.ferry.fsm.MigrationFeature.PRE_COPY;
import static dev.ferry.fsm.MigrationFeature.STOP_COPY;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.Arc.SessionEffect;
import java.util.List;
import java.util.Set;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

class ArcTest {

    @Test
    void shouldBeNamedAfterItsEnds() {
        for (Arc arc : Arc.values()) {
            assertThat(arc.name()).isEqualTo(arc.from() + "_TO_" + arc.to());
            assertThat(Arc.between(arc.from(), arc.to())).contains(arc);
        }
    }

    @Test
    void shouldHaveNoArcToOrFromError() {
        for (DeviceState state : DeviceState.values()) {
            assertThat(Arc.between(state, DeviceState.ERROR)).isEmpty();
            assertThat(Arc.between(DeviceState.ERROR, state)).isEmpty();
            assertThat(Arc.between(state, state)).isEmpty();
        }
    }

    /** The counts are those of the kernel header's state machine for each set of features. */
    @Test
    void shouldExistAsTheFeaturesAllow() {
        assertThat(supportedBy(Set.of(STOP_COPY))).containsExactly(
                Arc.STOP_TO_RUNNING, Arc.STOP_TO_STOP_COPY, Arc.STOP_TO_RESUMING, Arc.RUNNING_TO_STOP,
                Arc.STOP_COPY_TO_STOP, Arc.RESUMING_TO_STOP);
        assertThat(supportedBy(Set.of(STOP_COPY, P2P))).containsExactly(
                Arc.STOP_TO_STOP_COPY, Arc.STOP_TO_RESUMING, Arc.STOP_TO_RUNNING_P2P, Arc.RUNNING_TO_RUNNING_P2P,
                Arc.STOP_COPY_TO_STOP, Arc.RESUMING_TO_STOP, Arc.RUNNING_P2P_TO_STOP, Arc.RUNNING_P2P_TO_RUNNING);
        assertThat(supportedBy(Set.of(STOP_COPY, PRE_COPY))).containsExactly(
                Arc.STOP_TO_RUNNING, Arc.STOP_TO_STOP_COPY, Arc.STOP_TO_RESUMING, Arc.RUNNING_TO_STOP,
                Arc.RUNNING_TO_PRE_COPY, Arc.STOP_COPY_TO_STOP, Arc.RESUMING_TO_STOP, Arc.PRE_COPY_TO_RUNNING,
                Arc.PRE_COPY_TO_STOP_COPY);
        assertThat(supportedBy(Set.of(STOP_COPY, P2P, PRE_COPY))).hasSize(15).doesNotContain(
                Arc.STOP_TO_RUNNING, Arc.RUNNING_TO_STOP, Arc.PRE_COPY_TO_STOP_COPY);
        assertThat(supportedBy(Set.of())).isEmpty();
    }

    private static List<Arc> supportedBy(Set<MigrationFeature> features) {
        return Stream.of(Arc.values()).filter(arc -> arc.isSupportedBy(features)).toList();
    }

    @Test
    void shouldOpenContinueAndEndSessionsAsTheStatesSay() {
        for (Arc arc : Arc.values()) {
            SessionEffect expected = arc.from().hasSession()
                    ? arc.to().hasSession() ? SessionEffect.CONTINUES : SessionEffect.ENDS
                    : arc.to() == DeviceState.RESUMING
                            ? SessionEffect.OPENS_RESUMING
                            : arc.to().isSaving() ? SessionEffect.OPENS_SAVING : SessionEffect.NONE;
            assertThat(arc.sessionEffect()).as(arc.name()).isEqualTo(expected);
        }
    }
}
