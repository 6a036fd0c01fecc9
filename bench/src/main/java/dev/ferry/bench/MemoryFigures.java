// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.migration.DowntimeStep.Step;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationRequest;
import java.nio.ByteBuffer;

/**
 * How fast a migration carries the memory of a guest, beside a plain copy of as many bytes; and what it holds itself
 * meanwhile, for guests of several sizes.
 */
final class MemoryFigures {

    private static final int BYTES = 1 << 30;
    /** What a migration carries at a time. */
    private static final int CHUNK_BYTES = 1 << 20;

    private static final int LARGE_CHUNK_BYTES = 16 << 20;
    private static final double MILLION = 1e6;

    private MemoryFigures() {}

    static void print() throws Exception {
        EmulatedHosts hosts = EmulatedHosts.start(1, 1);
        try {
            throughput(hosts);
            held(hosts);
        } finally {
            hosts.stop();
        }
    }

    private static void throughput(EmulatedHosts hosts) throws Exception {
        ByteBuffer from = ByteBuffer.allocateDirect(BYTES);
        ByteBuffer to = ByteBuffer.allocateDirect(BYTES);
        Shuttle shuttle = new Shuttle(hosts, BYTES);
        double[] medians = LiveFigures.medians(
                () -> copy(from, to, BYTES),
                () -> copy(from, to, CHUNK_BYTES),
                () -> copy(from, to, LARGE_CHUNK_BYTES),
                () -> preCopyNanos(shuttle.migrate(true)),
                () -> transferNanos(shuttle.migrate(false)));
        LiveFigures.line("%nMemory of a guest of 1 GiB");
        LiveFigures.line("%-42s %10s %10s %8s", "", "ms", "GB/s", "ratio");
        line("plain copy, at once", medians[0], medians[0]);
        line("plain copy, 1 MiB at a time", medians[1], medians[0]);
        line("plain copy, 16 MiB at a time", medians[2], medians[0]);
        line("pre-copy, the whole phase", medians[3], medians[0]);
        line("while paused, step TRANSFER", medians[4], medians[0]);
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

    private static void line(String name, double nanos, double plain) {
        LiveFigures.line("%-42s %10.1f %10.2f %8.2f", name, nanos / MILLION, BYTES / nanos, nanos / plain);
    }

    private static long copy(ByteBuffer from, ByteBuffer to, int chunk) {
        long begin = System.nanoTime();
        for (int at = 0; at < BYTES; at += chunk) {
            to.put(at, from, at, chunk);
        }
        return System.nanoTime() - begin;
    }

    private static void held(EmulatedHosts hosts) throws Exception {
        LiveFigures.line("%nHeld by a migration, one VF, by the memory of its guest");
        LiveFigures.line("%-10s %16s %16s", "guest MiB", "pre-copy bytes", "paused bytes");
        for (int mebibytes : new int[] {16, 64, 256}) {
            Shuttle shuttle = new Shuttle(hosts, mebibytes << 20);
            LiveFigures.line("%-10d %16d %16d", mebibytes, shuttle.migrate(true).bufferBytes(),
                    shuttle.migrate(false).bufferBytes());
        }
    }

    /** Migrates one VF and a guest to and fro. */
    private static final class Shuttle {

        private final EmulatedHosts hosts;
        private final IdleGuest[] guests;
        private static int here = 1;

        Shuttle(EmulatedHosts hosts, int bytes) {
            this.hosts = hosts;
            this.guests = new IdleGuest[] {IdleGuest.of(bytes), IdleGuest.of(bytes)};
        }

        MigrationReport migrate(boolean preCopy) throws Exception {
            int there = 3 - here;
            MigrationRequest request = MigrationRequest.of("host" + here + "/pf0/vf1", "host" + there + "/pf0/vf1")
                    .withPreCopy(preCopy)
                    .withGuests(guests[here - 1], guests[there - 1]);
            MigrationReport report = DeviceFigures.migrate(hosts, request);
            here = there;
            return report;
        }
    }
}
