// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.migration.DevicePair;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Downtime, time in total and memory held of migrations of 1 to 255 VFs together, which answer at once: what Ferry adds
 * to the devices' own time, and how it grows.
 */
final class DeviceFigures {

    private static final int[] COUNTS = {1, 4, 16, 64, 255};
    private static final int WARM_UPS = 6;
    private static final int RUNS = 9;
    private static final long LIMIT_SECONDS = 120;
    private static final double MILLION = 1e6;

    private DeviceFigures() {}

    static void print() throws Exception {
        EmulatedHosts hosts = EmulatedHosts.start(COUNTS[COUNTS.length - 1], 1);
        try {
            LiveFigures.line("%nVFs together, without a guest");
            LiveFigures.line("%-6s %14s %14s %16s %16s %14s", "VFs", "downtime ms", "total ms", "downtime/VF us",
                    "total/VF us", "held bytes");
            for (int count : COUNTS) {
                print(hosts, count);
            }
        } finally {
            hosts.stop();
        }
    }

    private static void print(EmulatedHosts hosts, int count) throws Exception {
        List<MigrationReport> reports = new ArrayList<>();
        int here = 1;
        for (int run = 0; run < WARM_UPS + RUNS + (WARM_UPS + RUNS) % 2; run++) {
            reports.add(migrate(hosts, request(here, 3 - here, count)));
            here = 3 - here;
        }
        List<MigrationReport> counted = reports.subList(WARM_UPS, WARM_UPS + RUNS);
        double downtime = counted.stream().mapToLong(report -> report.downtime().toNanos()).sorted().skip(RUNS / 2)
                .findFirst().orElseThrow();
        double total = counted.stream().mapToLong(report -> report.total().toNanos()).sorted().skip(RUNS / 2)
                .findFirst().orElseThrow();
        long held = counted.stream().map(MigrationReport::bufferBytes).max(Comparator.naturalOrder()).orElseThrow();
        LiveFigures.line("%-6d %14.3f %14.3f %16.1f %16.1f %14d", count, downtime / MILLION, total / MILLION,
                downtime / count / 1000, total / count / 1000, held);
    }

    private static MigrationRequest request(int from, int to, int count) {
        List<DevicePair> pairs = new ArrayList<>();
        for (int vf = 1; vf <= count; vf++) {
            pairs.add(new DevicePair("host" + from + "/pf0/vf" + vf, "host" + to + "/pf0/vf" + vf));
        }
        return MigrationRequest.of(pairs);
    }

    /** One migration that must complete. */
    static MigrationReport migrate(EmulatedHosts hosts, MigrationRequest request) throws Exception {
        MigrationReport report = hosts.migrations()
                .start(request, MigrationListener.NONE)
                .result()
                .toCompletableFuture()
                .get(LIMIT_SECONDS, TimeUnit.SECONDS);
        if (report.result() != Result.COMPLETED) {
            throw new IllegalStateException("a migration failed: " + report.failure());
        }
        return report;
    }
}
