// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal;

import dev.ferry.migration.Decision;
import dev.ferry.migration.MigrationReport;
import java.util.List;

/** The decisions of a report, for tests to look at. */
final class Decisions {

    private Decisions() {}

    static List<Decision.Kind> kinds(MigrationReport report) {
        return report.decisions().stream().map(Decision::kind).toList();
    }

    static List<String> messages(MigrationReport report, Decision.Kind kind) {
        return report.decisions().stream()
                .filter(decision -> decision.kind() == kind)
                .map(Decision::message)
                .toList();
    }
}
