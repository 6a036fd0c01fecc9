// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import dev.ferry.device.Errno;
import java.util.List;
import java.util.Objects;
import java.util.Optional;

/**
 * One failure, as a script and a person need it. Immutable.
 *
 * @param code from a bounded set
 * @param phase in which it happened; empty outside a migration
 * @param device id of the device concerned; empty where no single one is
 * @param errno where a device or kernel gave one
 * @param message one sentence: what, where, what to do
 * @param following later failures, of the way back for example, in their order
 */
public record Failure(
        FailureCode code,
        Optional<MigrationPhase> phase,
        Optional<String> device,
        Optional<Errno> errno,
        String message,
        List<Failure> following) {

    /** Copies the list. */
    public Failure {
        Objects.requireNonNull(code, "code");
        Objects.requireNonNull(message, "message");
        following = List.copyOf(following);
    }

    /** A failure that concerns no single device and no phase. */
    public static Failure of(FailureCode code, String message) {
        return new Failure(code, Optional.empty(), Optional.empty(), Optional.empty(), message, List.of());
    }

    /** A failure of one device outside a migration. */
    public static Failure of(FailureCode code, String device, String message) {
        return new Failure(code, Optional.empty(), Optional.of(device), Optional.empty(), message, List.of());
    }
}
