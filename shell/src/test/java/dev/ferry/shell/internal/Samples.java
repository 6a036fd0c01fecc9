// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Decision;
import dev.ferry.migration.DowntimeStep;
import dev.ferry.migration.DowntimeStep.Step;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.Finding;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationPlan;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Optional;
import java.util.OptionalLong;

/** Reports and plans with known numbers. */
final class Samples {

    private Samples() {}

    static MigrationReport report(MigrationRequest request, Optional<Failure> failure) {
        return report(request, List.of(), failure);
    }

    static MigrationReport report(MigrationRequest request, List<Finding> findings, Optional<Failure> failure) {
        boolean completed = failure.isEmpty();
        Result result = failure.map(each -> each.code() == FailureCode.CANCELLED ? Result.CANCELLED : Result.FAILED)
                .orElse(request.dryRun() ? Result.PASSED : Result.COMPLETED);
        List<DowntimeStep> steps = List.of(
                new DowntimeStep(Step.STOP, Optional.of(Duration.ofMillis(50)), Duration.ofMillis(51)),
                new DowntimeStep(Step.SAVE, Optional.empty(), Duration.ofNanos(1_500_000)));
        return new MigrationReport(
                "m1",
                result,
                request.dryRun(),
                Instant.EPOCH,
                Duration.ofMillis(20),
                Duration.ofNanos(1_234_567),
                steps,
                List.of(
                        new MigrationReport.Phase(MigrationPhase.CHECK, Duration.ofNanos(500_400)),
                        new MigrationReport.Phase(MigrationPhase.SWITCHOVER, Duration.ofMillis(2))),
                request.devices().stream()
                        .map(pair -> new MigrationReport.Device(
                                pair.source(),
                                pair.destination(),
                                Optional.of(completed ? DeviceState.STOP : DeviceState.RUNNING),
                                completed ? Optional.of(DeviceState.RUNNING) : Optional.empty(),
                                321,
                                4000,
                                steps))
                        .toList(),
                MigrationReport.Memory.NONE,
                List.of(new Decision(Duration.ofMillis(4), Decision.Kind.SWITCHOVER, "0 bytes are left.")),
                65536,
                findings,
                failure);
    }

    static MigrationPlan plan(MigrationRequest request, List<Finding> findings) {
        return new MigrationPlan(
                findings,
                request.devices().stream()
                        .map(pair -> new MigrationPlan.Device(
                                pair, request.preCopy(), OptionalLong.of(2048), Optional.of("device DMA logging")))
                        .toList(),
                new MigrationPlan.Memory(0, false, 0, 0, "No guest is named."),
                Optional.of(Duration.ofMillis(70)));
    }
}
