// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationProgress;
import dev.ferry.migration.MigrationProgress.Range;
import dev.ferry.migration.MigrationProgress.Transfer;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;

/** A migration of one device in the middle of pre-copy, which ends when it is told to stop. */
final class RunningMigration implements Migration {

    /** Ends like this when it is told to stop; completed when empty. */
    Optional<Failure> end = Optional.of(Failure.of(FailureCode.CANCELLED, "it was cancelled"));
    boolean tooLate;
    boolean preCopy = true;
    /** Of the state of its device. */
    Transfer carried = new Transfer(1 << 20, 0, 0);
    /** Of its device. */
    Optional<Range> timeLeft = Optional.empty();
    final CompletableFuture<MigrationReport> result = new CompletableFuture<>();
    /** Happens when somebody begins to follow it to its end. */
    Runnable onFollowed = () -> {};

    @Override
    public String id() {
        return "m1";
    }

    @Override
    public MigrationRequest request() {
        return MigrationRequest.of("a", "b").withPreCopy(preCopy);
    }

    @Override
    public MigrationPhase phase() {
        return MigrationPhase.PRE_COPY;
    }

    @Override
    public MigrationProgress progress() {
        return new MigrationProgress(
                phase(),
                false,
                75,
                new Transfer((2 << 20) + carried.bytes(), 1 << 20, 1 << 20),
                new Transfer(2 << 20, 1 << 20, 1 << 20),
                List.of(new MigrationProgress.Device("a", carried, true, timeLeft)),
                2,
                Duration.ofMillis(300),
                Optional.of(Duration.ofMillis(900)),
                Optional.of(new Range(Duration.ofSeconds(1), Optional.empty())));
    }

    @Override
    public boolean cancel() {
        result.complete(Samples.report(request(), end));
        return !tooLate;
    }

    @Override
    public CompletionStage<MigrationReport> result() {
        onFollowed.run();
        return result;
    }
}
