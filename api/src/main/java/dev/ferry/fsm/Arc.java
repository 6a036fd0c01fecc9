// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm;

import static dev.ferry.fsm.Arc.SessionEffect.CONTINUES;
import static dev.ferry.fsm.Arc.SessionEffect.ENDS;
import static dev.ferry.fsm.Arc.SessionEffect.NONE;
import static dev.ferry.fsm.Arc.SessionEffect.OPENS_RESUMING;
import static dev.ferry.fsm.Arc.SessionEffect.OPENS_SAVING;
import static dev.ferry.fsm.DeviceState.PRE_COPY;
import static dev.ferry.fsm.DeviceState.PRE_COPY_P2P;
import static dev.ferry.fsm.DeviceState.RESUMING;
import static dev.ferry.fsm.DeviceState.RUNNING;
import static dev.ferry.fsm.DeviceState.RUNNING_P2P;
import static dev.ferry.fsm.DeviceState.STOP;
import static dev.ferry.fsm.DeviceState.STOP_COPY;

import java.util.Optional;
import java.util.Set;

/**
 * Every edge of the device state machine that a driver may be asked to implement, for any set of features.
 *
 * <p>A driver switches over this enum. Which arcs it meets {@linkplain #isSupportedBy follows} from its features: 6
 * with STOP_COPY alone, 8 with P2P, 9 with PRE_COPY, 15 with both. Longer ways (combination transitions) are made of
 * arcs by the {@link TransitionTable}; no driver sees them. Immutable.
 *
 * @see <a href="https://docs.kernel.org/driver-api/vfio.html">Linux: include/uapi/linux/vfio.h, the arcs of the
 *     device_state FSM</a>
 */
public enum Arc {
    /** All operation begins again; only without P2P. */
    STOP_TO_RUNNING(STOP, RUNNING, NONE),
    /** Start of saving with the device stopped. */
    STOP_TO_STOP_COPY(STOP, STOP_COPY, OPENS_SAVING),
    /** Start of loading. */
    STOP_TO_RESUMING(STOP, RESUMING, OPENS_RESUMING),
    /** Leaves STOP, still quiesced. */
    STOP_TO_RUNNING_P2P(STOP, RUNNING_P2P, NONE),
    /** Stops completely; only without P2P. */
    RUNNING_TO_STOP(RUNNING, STOP, NONE),
    /** Quiesces: outstanding DMA has finished when the step returns. */
    RUNNING_TO_RUNNING_P2P(RUNNING, RUNNING_P2P, NONE),
    /** Start of saving; operation goes on. */
    RUNNING_TO_PRE_COPY(RUNNING, PRE_COPY, OPENS_SAVING),
    /** End of saving. */
    STOP_COPY_TO_STOP(STOP_COPY, STOP, ENDS),
    /** End of loading: what was written is complete and taken, or the step fails. */
    RESUMING_TO_STOP(RESUMING, STOP, ENDS),
    /** From quiesced to stopped. */
    RUNNING_P2P_TO_STOP(RUNNING_P2P, STOP, NONE),
    /** Full operation again. */
    RUNNING_P2P_TO_RUNNING(RUNNING_P2P, RUNNING, NONE),
    /** Start of saving, quiesced. */
    RUNNING_P2P_TO_PRE_COPY_P2P(RUNNING_P2P, PRE_COPY_P2P, OPENS_SAVING),
    /** End of saving; operation goes on. */
    PRE_COPY_TO_RUNNING(PRE_COPY, RUNNING, ENDS),
    /** Stops completely, the session goes on to its final part; only without P2P. */
    PRE_COPY_TO_STOP_COPY(PRE_COPY, STOP_COPY, CONTINUES),
    /** Quiesces, the session goes on. */
    PRE_COPY_TO_PRE_COPY_P2P(PRE_COPY, PRE_COPY_P2P, CONTINUES),
    /** Stops completely, the session goes on to its final part. */
    PRE_COPY_P2P_TO_STOP_COPY(PRE_COPY_P2P, STOP_COPY, CONTINUES),
    /** End of saving, still quiesced. */
    PRE_COPY_P2P_TO_RUNNING_P2P(PRE_COPY_P2P, RUNNING_P2P, ENDS),
    /** Full operation again, the session goes on. */
    PRE_COPY_P2P_TO_PRE_COPY(PRE_COPY_P2P, PRE_COPY, CONTINUES);

    /** What an arc does to data transfer sessions. */
    public enum SessionEffect {
        /** There is no session before or after. */
        NONE,
        /** The step returns a new saving session. */
        OPENS_SAVING,
        /** The step returns a new resuming session. */
        OPENS_RESUMING,
        /** The open saving session stays valid; the step returns none. */
        CONTINUES,
        /** The session is dead when the step returns, whether or not its user closed it. */
        ENDS
    }

    private final DeviceState from;
    private final DeviceState to;
    private final SessionEffect sessionEffect;

    Arc(DeviceState from, DeviceState to, SessionEffect sessionEffect) {
        this.from = from;
        this.to = to;
        this.sessionEffect = sessionEffect;
    }

    /** The state before the arc. */
    public DeviceState from() {
        return from;
    }

    /** The state after the arc. */
    public DeviceState to() {
        return to;
    }

    /** What the arc does to data transfer sessions. */
    public SessionEffect sessionEffect() {
        return sessionEffect;
    }

    /**
     * Whether a device with these features has this arc: both of its states, and with P2P none that goes past the
     * quiesced states.
     *
     * @param features the features of the device
     */
    public boolean isSupportedBy(Set<MigrationFeature> features) {
        boolean pastP2p = this == STOP_TO_RUNNING || this == RUNNING_TO_STOP || this == PRE_COPY_TO_STOP_COPY;
        return from.isSupportedBy(features) && to.isSupportedBy(features)
                && !(pastP2p && features.contains(MigrationFeature.P2P));
    }

    /**
     * The arc between two states.
     *
     * @return empty when the two states are not joined by one edge
     */
    public static Optional<Arc> between(DeviceState from, DeviceState to) {
        for (Arc arc : values()) {
            if (arc.from == from && arc.to == to) {
                return Optional.of(arc);
            }
        }
        return Optional.empty();
    }
}
