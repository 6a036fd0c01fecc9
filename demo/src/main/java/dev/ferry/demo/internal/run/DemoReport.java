// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import dev.ferry.cli.Amounts;
import dev.ferry.cli.Errors;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationPlan;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import java.nio.file.Path;
import java.util.List;
import java.util.Optional;
import java.util.stream.Stream;

/**
 * What a demonstration showed. Immutable.
 *
 * @param traffic what was sent, for a person
 * @param flows one for each VF
 * @param plan what the migration was expected to do and cost, made before the first frame was sent
 * @param migration the report of the migration
 * @param guestFailure why a guest stopped by itself, or what its memory lost; empty usually
 * @param recording the file of the frames that came out of the guest; empty when none was wanted
 */
public record DemoReport(
        String traffic,
        List<Flow> flows,
        MigrationPlan plan,
        MigrationReport migration,
        Optional<String> guestFailure,
        Optional<Recording> recording) {

    /**
     * A file of frames.
     *
     * @param failure why it is not whole, one sentence; empty when it is, and in its place
     */
    public record Recording(Path file, Optional<String> failure) {}

    /**
     * What became of the frames of one VF.
     *
     * @param source its id before the migration
     * @param destination its id afterwards
     * @param frames what became of them
     * @param waited frames that waited in the network during the switchover
     */
    public record Flow(String source, String destination, FrameCounts frames, long waited) {}

    /** Copies the list. */
    public DemoReport {
        flows = List.copyOf(flows);
    }

    /** What became of the frames of all VFs. */
    public FrameCounts frames() {
        return flows.stream().map(Flow::frames).reduce(FrameCounts.NONE, FrameCounts::plus);
    }

    /** Frames of all VFs that waited in the network during the switchover. */
    public long waited() {
        return flows.stream().mapToLong(Flow::waited).sum();
    }

    /** Whether the migration completed, no frame was harmed and all were recorded that should be. */
    public boolean isSuccess() {
        return failure().isEmpty();
    }

    private String stoodStill() {
        boolean back = migration.devices().stream()
                .allMatch(device -> device.sourceState().filter(DeviceState.RUNNING::equals).isPresent());
        // Of a timeout the migration service itself says it, where it brought the guest back.
        boolean said = back && migration.failure().filter(why -> why.code() == FailureCode.TIMEOUT).isPresent();
        if (said || migration.downtime().isZero()) {
            return "";
        }
        return "; the guest stood still for " + Amounts.time(migration.downtime())
                + (back ? " and runs at the source again" : "");
    }

    /** Why it was no success, one sentence without the full stop. */
    public Optional<String> failure() {
        if (migration.result() != Result.COMPLETED && migration.result() != Result.PASSED) {
            // A message is a sentence of its own, and goes on here in another one.
            String why = migration.failure()
                    .map(failure -> ": " + Errors.sentence(failure).replaceFirst("\\.$", ""))
                    .orElse("");
            return Optional.of("the migration ended as " + migration.result() + why + stoodStill());
        }
        if (guestFailure.isPresent()) {
            return Optional.of("the guest stopped: " + guestFailure.get());
        }
        FrameCounts frames = frames();
        if (!frames.isFlawless()) {
            return Optional.of("of %d frames %d were lost, %d duplicated, %d reordered, %d changed".formatted(
                    frames.sent(), frames.lost(), frames.duplicated(), frames.reordered(), frames.foreign()));
        }
        return fileFailure();
    }

    private Optional<String> fileFailure() {
        return recording.flatMap(Recording::failure);
    }

    /** What else failed: in the migration, as on the way back, and the file of frames. */
    public List<Failure> following() {
        return Stream.concat(
                        migration.failure().map(Failure::following).orElse(List.of()).stream(),
                        fileFailure()
                                .filter(why -> !failure().equals(Optional.of(why)))
                                .map(why -> Failure.of(FailureCode.IO_FAILED, why))
                                .stream())
                .toList();
    }

    /** That sentence, and a line each what else failed; empty after a success. */
    public List<String> complaints() {
        return failure().map(first -> Errors.sentences(first, following())).orElse(List.of());
    }
}
