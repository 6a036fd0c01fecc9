// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import java.util.List;

/**
 * What setting a device state did. Immutable.
 *
 * @param device id
 * @param from state before
 * @param arcs taken, in order; empty when the device was there already
 * @param to state after
 */
public record StateChange(String device, DeviceState from, List<Arc> arcs, DeviceState to) {
    /** Copies the list. */
    public StateChange {
        arcs = List.copyOf(arcs);
    }
}
