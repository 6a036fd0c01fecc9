// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.table;

import static dev.ferry.fsm.DeviceState.ERROR;
import static dev.ferry.fsm.DeviceState.PRE_COPY;
import static dev.ferry.fsm.DeviceState.PRE_COPY_P2P;
import static dev.ferry.fsm.DeviceState.RESUMING;
import static dev.ferry.fsm.DeviceState.RUNNING;
import static dev.ferry.fsm.DeviceState.RUNNING_P2P;
import static dev.ferry.fsm.DeviceState.STOP;
import static dev.ferry.fsm.DeviceState.STOP_COPY;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import java.util.Optional;
import java.util.Set;

/**
 * The next-state table as the kernel has it, and the rules that adapt it to what a device can do. Pure.
 *
 * <p>The table is made of shortest ways that have no saving state and no RESUMING as an interior node. Read it with the
 * present state as the row and the state asked for as the column, both in the order of the kernel's numbers.
 *
 * @see <a href="https://docs.kernel.org/driver-api/vfio.html">Linux: drivers/vfio/vfio_main.c,
 *     vfio_mig_get_next_state()</a>
 */
final class NextState {

    // Columns: ERROR, STOP, RUNNING, STOP_COPY, RESUMING, RUNNING_P2P, PRE_COPY, PRE_COPY_P2P
    private static final DeviceState[][] ALL_FEATURES = {
        /* ERROR        */ {ERROR, ERROR, ERROR, ERROR, ERROR, ERROR, ERROR, ERROR},
        /* STOP         */ {ERROR, STOP, RUNNING_P2P, STOP_COPY, RESUMING, RUNNING_P2P, RUNNING_P2P, RUNNING_P2P},
        /* RUNNING      */ {ERROR, RUNNING_P2P, RUNNING, RUNNING_P2P, RUNNING_P2P, RUNNING_P2P, PRE_COPY, RUNNING_P2P},
        /* STOP_COPY    */ {ERROR, STOP, STOP, STOP_COPY, STOP, STOP, ERROR, ERROR},
        /* RESUMING     */ {ERROR, STOP, STOP, STOP, RESUMING, STOP, STOP, STOP},
        /* RUNNING_P2P  */ {ERROR, STOP, RUNNING, STOP, STOP, RUNNING_P2P, RUNNING, PRE_COPY_P2P},
        /* PRE_COPY     */ {ERROR, RUNNING, RUNNING, PRE_COPY_P2P, RUNNING, RUNNING, PRE_COPY, PRE_COPY_P2P},
        /* PRE_COPY_P2P */ {
            ERROR, RUNNING_P2P, RUNNING_P2P, STOP_COPY, RUNNING_P2P, RUNNING_P2P, PRE_COPY, PRE_COPY_P2P
        },
    };

    private NextState() {}

    /** The next state; empty where the kernel answers {@code -EINVAL}. */
    static Optional<DeviceState> of(Set<MigrationFeature> features, DeviceState from, DeviceState to) {
        if (!from.isSupportedBy(features) || !to.isSupportedBy(features)) {
            return Optional.empty();
        }
        DeviceState next = beforeFiltering(from, to);
        // Optional states that the device lacks are jumped over. Stopping at ERROR keeps the blocked arcs out of
        // STOP_COPY from looping for ever, as kernels before mid-2026 did.
        while (next != ERROR && !next.isSupportedBy(features)) {
            next = beforeFiltering(next, to);
        }
        return next == ERROR ? Optional.empty() : Optional.of(next);
    }

    /** The entry for a device with every feature; ERROR marks what is refused. */
    static DeviceState beforeFiltering(DeviceState from, DeviceState to) {
        return ALL_FEATURES[from.number()][to.number()];
    }
}
