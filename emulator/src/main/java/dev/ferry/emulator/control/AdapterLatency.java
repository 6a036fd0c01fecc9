// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.control;

import dev.ferry.emulator.internal.owner.Latency;
import java.util.Optional;

/** The key {@code latency} of an emulated adapter's configuration, for whoever writes one. Any thread. */
public final class AdapterLatency {

    private AdapterLatency() {}

    /**
     * Why an adapter would refuse it: a clause without a full stop, whose first word is the key; empty when it would
     * not.
     */
    public static Optional<String> refusal(String latency) {
        try {
            Latency.parse(latency);
            return Optional.empty();
        } catch (IllegalArgumentException e) {
            return Optional.of(e.getMessage());
        }
    }
}
