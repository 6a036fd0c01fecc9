// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm;

import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.osgi.annotation.versioning.ProviderType;

/**
 * The next-state function of the device state machine, for every set of features; a service of {@code fsm-core}.
 *
 * <p>Answers equal those of the kernel's {@code vfio_mig_get_next_state()}, with its loop on blocked arcs ended at
 * ERROR as the kernel does since mid-2026. Pure and thread-safe; no call blocks.
 */
@ProviderType
public interface TransitionTable {

    /**
     * The next state on the way, which for a supported state asked for itself is that state.
     *
     * @param features what the device can do
     * @param from the state it is in
     * @param to the state asked for
     * @return empty when the kernel would answer {@code -EINVAL}; {@link #refusal} says why
     */
    Optional<DeviceState> next(Set<MigrationFeature> features, DeviceState from, DeviceState to);

    /**
     * The arcs of the way, in order; empty when {@code from} equals {@code to}.
     *
     * @throws IllegalArgumentException when there is no way; the message is that of {@link #refusal}
     */
    List<Arc> path(Set<MigrationFeature> features, DeviceState from, DeviceState to);

    /**
     * Why there is no way from one state to another, as one sentence for a person.
     *
     * @return empty when there is a way
     */
    Optional<String> refusal(Set<MigrationFeature> features, DeviceState from, DeviceState to);
}
