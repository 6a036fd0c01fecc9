// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationReport;
import java.util.List;
import java.util.Optional;
import java.util.stream.Collectors;

/** What became of a migration, in sentences for people; and whether that is a success, which an exit status tells. */
public final class ReportOutcome {

    private ReportOutcome() {}

    /** Whether it did what was asked, or was cancelled and all of that went well. */
    public static boolean isInOrder(MigrationReport report) {
        return switch (report.result()) {
            case COMPLETED, PASSED -> true;
            case FAILED -> false;
            case CANCELLED -> failures(report).isEmpty();
        };
    }

    /** Its result and where its sources are, {@code m1 is CANCELLED, a is RUNNING}, then what failed. */
    public static List<String> sentences(MigrationReport report) {
        String states = report.devices().stream()
                .map(device -> device.source() + " is " + state(device.sourceState()))
                .collect(Collectors.joining(", "));
        return Errors.sentences(
                "%s is %s, %s".formatted(report.migration(), report.result(), states), failures(report));
    }

    /** What failed; that it was cancelled is no news to whoever did that. */
    static List<Failure> failures(MigrationReport report) {
        return report.failure()
                .map(failure -> failure.code() == FailureCode.CANCELLED ? failure.following() : List.of(failure))
                .orElse(List.of());
    }

    private static String state(Optional<DeviceState> state) {
        return state.map(DeviceState::name).orElse("in an unknown state");
    }
}
