// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.function.Function;

/** Downtime and time in total of migrations of 1 to 255 VFs together, and how they grow. */
final class DeviceFigures {

    /** Of the guest that moves with devices which take their time. */
    private static final int GUEST_BYTES = 64 << 20;

    private static final int SLOW_WARM_UPS = 1;
    private static final int SLOW_RUNS = 3;
    private static final int DEFAULT_THREADS = 64;
    private static final int MANY_THREADS = 256;
    private static final double MILLION = 1e6;

    private final Effort effort;
    private final int guestBytes;

    private DeviceFigures(Effort effort, int guestBytes) {
        this.effort = effort;
        this.guestBytes = guestBytes;
    }

    /** Devices that answer at once: what Ferry adds to the devices' own time. */
    static void atOnce(Effort effort) throws Exception {
        LiveFigures.line("%nVFs together that answer at once, without a guest");
        new DeviceFigures(effort, 0).print("none", DEFAULT_THREADS);
    }

    /** Devices that take their time, with a guest: what waits for what. */
    static void slow(Effort effort) throws Exception {
        DeviceFigures figures = new DeviceFigures(effort.withRuns(SLOW_WARM_UPS, SLOW_RUNS), GUEST_BYTES);
        for (int threads : new int[] {DEFAULT_THREADS, MANY_THREADS}) {
            LiveFigures.line("%nVFs together with latency smartnic, a guest of %d MiB, pre-copy, transfer.threads %d",
                    GUEST_BYTES >> 20, threads);
            figures.print("smartnic", threads);
        }
    }

    private void print(String latency, int threads) throws Exception {
        int members = effort.devices()[effort.devices().length - 1];
        // A queue for each, so that none waits for another one's command.
        EmulatedHosts hosts = EmulatedHosts.start(
                Map.of("members", members, "queue.pairs", 1, "latency", latency, "admin.queues", members),
                Map.of("transfer.threads", threads));
        try {
            Shuttle shuttle = new Shuttle(hosts, guestBytes);
            LiveFigures.line("%-6s %14s %20s %14s %20s %14s", "VFs", "downtime ms", "more by each VF, ms", "total ms",
                    "more by each VF, ms", "held bytes");
            Row last = null;
            for (int count : effort.devices()) {
                Row row = measure(shuttle, count);
                row.print(last);
                last = row;
            }
        } finally {
            hosts.stop();
        }
    }

    private Row measure(Shuttle shuttle, int count) throws Exception {
        List<MigrationReport> counted = new ArrayList<>();
        for (int run = -effort.warmUps(); run < effort.runs(); run++) {
            MigrationReport report = shuttle.migrate(count, true, MigrationListener.NONE);
            if (run >= 0) {
                counted.add(report);
            }
        }
        long held = counted.stream().mapToLong(MigrationReport::bufferBytes).max().orElseThrow();
        return new Row(
                count,
                medianMillis(counted, MigrationReport::downtime),
                medianMillis(counted, MigrationReport::total),
                held);
    }

    private static double medianMillis(List<MigrationReport> reports, Function<MigrationReport, Duration> time) {
        return LiveFigures.median(reports.stream()
                .mapToDouble(report -> time.apply(report).toNanos() / MILLION)
                .toArray());
    }

    private record Row(int count, double downtime, double total, long held) {

        /** With what each VF more than in the line above takes; null when there is none. */
        void print(Row before) {
            LiveFigures.line("%-6d %14.3f %20s %14.3f %20s %14d", count, downtime,
                    before == null ? "" : more(before, downtime - before.downtime), total,
                    before == null ? "" : more(before, total - before.total), held);
        }

        private String more(Row before, double more) {
            return "%.3f".formatted(more / (count - before.count));
        }
    }
}
