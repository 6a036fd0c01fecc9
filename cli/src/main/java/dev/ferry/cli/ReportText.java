// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.Decision;
import dev.ferry.migration.DowntimeStep;
import dev.ferry.migration.DowntimeStep.Step;
import dev.ferry.migration.MigrationReport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Locale;
import java.util.Optional;
import java.util.stream.Stream;

/** The report of a migration for people. */
public final class ReportText {

    private static final String UNKNOWN = "-";

    private ReportText() {}

    /** All of it: where the devices are, the times, what was carried, what was decided and why. */
    public static String of(MigrationReport report) {
        StringBuilder text = new StringBuilder();
        text.append(report.migration()).append(' ').append(report.result()).append('\n');
        for (MigrationReport.Device device : report.devices()) {
            text.append("  %s is %s, %s is %s\n".formatted(
                    device.source(),
                    device.sourceState().map(DeviceState::name).orElse("unknown"),
                    device.destination(),
                    device.destinationState().map(DeviceState::name).orElse("unknown")));
        }
        text.append("downtime %s ms, total %s ms, device state %s".formatted(
                millis(report.downtime()), millis(report.total()), Amounts.bytes(report.stateBytes())));
        if (report.memory().totalBytes() > 0) {
            text.append(", guest memory of %s, %s carried, %d rounds while it ran".formatted(
                    Amounts.bytes(report.memory().totalBytes()), Amounts.bytes(report.memoryBytes()),
                    report.memory().rounds()));
        }
        return text.append('\n').append(course(report)).toString();
    }

    /** The tables of steps and phases, and the decisions. */
    public static String course(MigrationReport report) {
        return steps(report) + phases(report) + decisions(report.decisions());
    }

    private static String phases(MigrationReport report) {
        TextTable phases = new TextTable("PHASE", "MILLISECONDS");
        report.phases().forEach(phase -> phases.row(phase.phase().name(), millis(phase.duration())));
        return "\n" + phases;
    }

    private static String steps(MigrationReport report) {
        if (report.steps().isEmpty()) {
            return "";
        }
        List<String> headings = new ArrayList<>(List.of("DOWNTIME, MILLISECONDS"));
        List<Step> columns = columns(report);
        columns.forEach(step -> headings.add(step.name()));
        TextTable table = new TextTable(headings.toArray(String[]::new));
        rows(table, "all", report.steps(), columns);
        if (report.devices().size() > 1) {
            report.devices().forEach(device -> rows(table, device.source(), device.steps(), columns));
        }
        return "\n" + table;
    }

    /** The way back only where there was one. */
    private static List<Step> columns(MigrationReport report) {
        return Stream.of(Step.values())
                .filter(step -> step != Step.ROLLBACK
                        || report.steps().stream().anyMatch(each -> each.step() == Step.ROLLBACK))
                .toList();
    }

    private static void rows(TextTable table, String name, List<DowntimeStep> steps, List<Step> columns) {
        if (steps.stream().anyMatch(step -> step.planned().isPresent())) {
            table.row(cells(name + ", planned", steps, columns, true));
        }
        if (!steps.isEmpty()) {
            table.row(cells(name + ", actual", steps, columns, false));
        }
    }

    private static String[] cells(String name, List<DowntimeStep> steps, List<Step> columns, boolean planned) {
        List<String> cells = new ArrayList<>(List.of(name));
        for (Step step : columns) {
            Optional<DowntimeStep> found =
                    steps.stream().filter(each -> each.step() == step).findFirst();
            cells.add(found.flatMap(each -> planned ? each.planned() : Optional.of(each.actual()))
                    .map(ReportText::millis)
                    .orElse(UNKNOWN));
        }
        return cells.toArray(String[]::new);
    }

    private static String decisions(List<Decision> decisions) {
        if (decisions.isEmpty()) {
            return "";
        }
        StringBuilder text = new StringBuilder("\nDECIDED\n");
        decisions.forEach(decision -> text.append("  after %s: %s: %s\n".formatted(
                Amounts.time(decision.at()), decision.kind(), decision.message())));
        return text.toString();
    }

    /** Milliseconds with three decimals. */
    public static String millis(Duration duration) {
        return String.format(Locale.ROOT, "%.3f", Json.millis(duration));
    }
}
