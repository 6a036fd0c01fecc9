// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.migration.DowntimeStep.Step;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import java.nio.ByteBuffer;

/** How fast a migration carries the memory of a guest, beside plain copies of as many bytes. */
final class MemoryFigures {

    /** What a migration carries at a time. */
    private static final int CHUNK_BYTES = 1 << 20;

    private static final int LARGE_CHUNK_BYTES = 16 << 20;
    private static final double MILLION = 1e6;

    private MemoryFigures() {}

    static void print(Effort effort) throws Exception {
        EmulatedHosts hosts = EmulatedHosts.start(1, 1);
        try {
            throughput(hosts, effort);
        } finally {
            hosts.stop();
        }
    }

    private static void throughput(EmulatedHosts hosts, Effort effort) throws Exception {
        int bytes = effort.memoryBytes();
        ByteBuffer from = ByteBuffer.allocateDirect(bytes);
        ByteBuffer to = ByteBuffer.allocateDirect(bytes);
        Shuttle shuttle = new Shuttle(hosts, bytes);
        double[] medians = LiveFigures.medians(
                effort,
                () -> copy(from, to, bytes),
                () -> copy(from, to, CHUNK_BYTES),
                () -> copy(from, to, LARGE_CHUNK_BYTES),
                () -> preCopyNanos(shuttle.migrate(true)),
                () -> transferNanos(shuttle.migrate(false)));
        LiveFigures.line("%nMemory of a guest of %d MiB", bytes >> 20);
        LiveFigures.line("%-30s %10s %10s %16s %16s", "", "ms", "GB/s", "/ copy at once", "/ copy by 1 MiB");
        String[] names = {
            "plain copy, at once",
            "plain copy, 1 MiB at a time",
            "plain copy, 16 MiB at a time",
            "pre-copy, the whole phase",
            "while paused, step TRANSFER"
        };
        for (int i = 0; i < names.length; i++) {
            LiveFigures.line("%-30s %10.1f %10.2f %16.2f %16.2f", names[i], medians[i] / MILLION, bytes / medians[i],
                    medians[i] / medians[0], medians[i] / medians[1]);
        }
    }

    private static long preCopyNanos(MigrationReport report) {
        return report.phases().stream()
                .filter(phase -> phase.phase() == MigrationPhase.PRE_COPY)
                .mapToLong(phase -> phase.duration().toNanos())
                .sum();
    }

    private static long transferNanos(MigrationReport report) {
        return report.steps().stream()
                .filter(step -> step.step() == Step.TRANSFER)
                .mapToLong(step -> step.actual().toNanos())
                .sum();
    }

    private static long copy(ByteBuffer from, ByteBuffer to, int chunk) {
        long begin = System.nanoTime();
        for (int at = 0; at < from.capacity(); at += chunk) {
            to.put(at, from, at, chunk);
        }
        return System.nanoTime() - begin;
    }
}
