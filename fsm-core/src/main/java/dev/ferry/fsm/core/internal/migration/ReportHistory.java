// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.migration.MigrationReport;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;

/** The reports of the last migrations. Thread-safe. */
final class ReportHistory {

    private final Map<String, MigrationReport> reports = new LinkedHashMap<>();
    private int most;

    /** Keeps so many; 1 or more. */
    ReportHistory(int most) {
        this.most = most;
    }

    synchronized void setMost(int reportsKept) {
        most = reportsKept;
        trim();
    }

    synchronized void add(MigrationReport report) {
        reports.put(report.migration(), report);
        trim();
    }

    private void trim() {
        while (reports.size() > most) {
            reports.remove(reports.keySet().iterator().next());
        }
    }

    synchronized Optional<MigrationReport> find(String migration) {
        return Optional.ofNullable(reports.get(migration));
    }

    /** Oldest first. */
    synchronized List<MigrationReport> all() {
        return List.copyOf(reports.values());
    }
}
