// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Migration;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationProgress;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import org.junit.jupiter.api.Test;

class UnderWayTest {

    private final List<String> said = new ArrayList<>();

    /** Ends when it is asked to stop, or never, where there is no report. */
    record Running(
            String id, boolean accepts, Optional<MigrationReport> end, CompletableFuture<MigrationReport> ending)
            implements Migration {

        Running(String id, boolean accepts, Optional<MigrationReport> end) {
            this(id, accepts, end, new CompletableFuture<>());
        }

        @Override
        public MigrationRequest request() {
            return MigrationRequest.of("a", "b");
        }

        @Override
        public MigrationPhase phase() {
            return MigrationPhase.SWITCHOVER;
        }

        @Override
        public MigrationProgress progress() {
            throw new UnsupportedOperationException();
        }

        @Override
        public boolean cancel() {
            end.ifPresent(ending::complete);
            return accepts;
        }

        @Override
        public CompletionStage<MigrationReport> result() {
            return ending;
        }
    }

    static MigrationReport report(String id, Result result, DeviceState source, Failure... following) {
        Optional<Failure> failure = result == Result.COMPLETED
                ? Optional.empty()
                : Optional.of(new Failure(
                        FailureCode.CANCELLED, Optional.empty(), Optional.empty(), Optional.empty(),
                        "It was cancelled.", List.of(following)));
        return new MigrationReport(
                id, result, false, Instant.EPOCH, Duration.ZERO, Duration.ZERO, List.of(), List.of(),
                List.of(new MigrationReport.Device(
                        "a", "b", Optional.of(source), Optional.empty(), 0, 0, List.of())),
                MigrationReport.Memory.NONE, List.of(), 0, List.of(), failure);
    }

    private boolean end(Duration limit, Migration... migrations) throws InterruptedException {
        UnderWay underWay = new UnderWay(List.of(migrations), said::add);
        underWay.stop();
        return underWay.end(limit);
    }

    @Test
    void shouldSayNothingWhenNothingIsUnderWay() throws Exception {
        assertThat(end(Duration.ofMinutes(1))).isTrue();
        assertThat(said).isEmpty();
    }

    @Test
    void shouldStopAllAndSayWhatBecameOfEach() throws Exception {
        assertThat(end(
                        Duration.ofMinutes(1),
                        new Running("m1", true, Optional.of(report("m1", Result.CANCELLED, DeviceState.RUNNING))),
                        new Running("m2", false, Optional.of(report("m2", Result.COMPLETED, DeviceState.STOP)))))
                .isTrue();
        assertThat(said).containsExactly(
                "m1 is still under way and was asked to stop",
                "m2 is still under way and can no longer be stopped",
                "m1 is CANCELLED, a is RUNNING",
                "m2 is COMPLETED, a is STOP");
    }

    @Test
    void shouldNotBeInOrderWhenSomethingFailedOnTheWayBack() throws Exception {
        Failure reset = Failure.of(FailureCode.DEVICE_FAILED, "b", "b: it could not be reset.");
        assertThat(end(
                        Duration.ofMinutes(1),
                        new Running(
                                "m1", true, Optional.of(report("m1", Result.CANCELLED, DeviceState.RUNNING, reset))),
                        new Running("m2", true, Optional.of(report("m2", Result.CANCELLED, DeviceState.RUNNING)))))
                .isFalse();
        assertThat(said).endsWith(
                "m1 is CANCELLED, a is RUNNING", "also: b: it could not be reset.", "m2 is CANCELLED, a is RUNNING");
    }

    @Test
    void shouldNotBeInOrderWhenOneDoesNotEnd() throws Exception {
        assertThat(end(
                        Duration.ofMillis(1),
                        new Running("m1", true, Optional.empty()),
                        new Running("m2", true, Optional.of(report("m2", Result.CANCELLED, DeviceState.RUNNING)))))
                .isFalse();
        assertThat(said).endsWith(
                "m1 has not ended and is in SWITCHOVER; look at the states of its devices before you use them",
                "m2 is CANCELLED, a is RUNNING");
    }

    @Test
    void shouldWaitNoLongerWhenItIsInterrupted() {
        Thread.currentThread().interrupt();
        assertThatThrownBy(() -> end(Duration.ofMinutes(1), new Running("m1", true, Optional.empty())))
                .isInstanceOf(InterruptedException.class);
    }
}
