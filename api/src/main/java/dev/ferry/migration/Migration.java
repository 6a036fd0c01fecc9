// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import java.util.concurrent.CompletionStage;
import org.osgi.annotation.versioning.ProviderType;

/** One migration that was started. Thread-safe. */
@ProviderType
public interface Migration {

    /** Unique within the service. */
    String id();

    /** What was asked for. */
    MigrationRequest request();

    /** The phase it is in, or the last one it was in; CHECK while it {@linkplain #progress waits for its turn}. */
    MigrationPhase phase();

    /** How far it is now. Does not block. */
    MigrationProgress progress();

    /**
     * Asks it to stop. Until the end of COMMIT, where ownership passes, the source is brought back to RUNNING and the
     * result is CANCELLED; it is FAILED when something failed before, or when a source could not keep the state it had.
     * From START on it completes. A cancel that comes during COMMIT may still be accepted. A migration that waits for
     * its turn ends at once. Does not wait.
     *
     * @return false when it is too late
     */
    boolean cancel();

    /**
     * Completes with the report, never exceptionally, also for a migration that failed. Stages that depend on it must
     * not block: they run where the listener is called, after {@link MigrationEvent.Ended}, and migrations that wait
     * for their turn wait for them, as does a service that is being stopped.
     */
    CompletionStage<MigrationReport> result();
}
