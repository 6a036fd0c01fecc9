// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.fsm.Arc.SessionEffect;
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
