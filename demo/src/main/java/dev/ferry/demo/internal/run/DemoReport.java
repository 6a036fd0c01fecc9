// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.migration.MigrationReport;
import java.util.Optional;

/**
 * What a demonstration showed. Immutable.
 *
 * @param traffic what was sent, for a person
 * @param frames what became of it
 * @param waited frames that waited in the network during the switchover
 * @param migration the report of the migration
 * @param guestFailure why a guest stopped by itself; empty usually
 * @param fileFailure why the file of frames is not whole, one sentence; empty usually
 */
public record DemoReport(
        String traffic,
        FrameCounts frames,
        long waited,
        MigrationReport migration,
        Optional<String> guestFailure,
        Optional<String> fileFailure) {

    /** Whether the migration completed, no frame was harmed and all were recorded that should be. */
    public boolean isSuccess() {
        return failure().isEmpty();
    }

    /** Why it was no success, one sentence. */
    public Optional<String> failure() {
        if (migration.result() != MigrationReport.Result.COMPLETED) {
            String why = migration.failure().map(failure -> ": " + failure.message()).orElse("");
            return Optional.of("the migration ended as " + migration.result() + why);
        }
        if (guestFailure.isPresent()) {
            return Optional.of("the guest stopped: " + guestFailure.get());
        }
        if (!frames.isFlawless()) {
            return Optional.of("of %d frames %d were lost, %d duplicated, %d reordered, %d changed".formatted(
                    frames.sent(), frames.lost(), frames.duplicated(), frames.reordered(), frames.foreign()));
        }
        return fileFailure;
    }
}
