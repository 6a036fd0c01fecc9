// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.migration.MigrationReport;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.locks.LockSupport;

/**
 * What a migration of one VF holds: the buffers that it reports, which are fsm-core's own, beside all live memory of
 * the process, heap and direct, that was not there before it. The latter has the images of the provider in it, as well
 * as what the emulated devices keep for a session.
 *
 * <p>Live memory is what is left after a collection; there is one at every event of the migration, on its own thread,
 * which makes it slow but changes nothing else.
 */
final class HeldFigures {

    private static final int[] GUEST_MEBIBYTES = {16, 64, 256};
    private static final int WARM_UPS = 3;
    private static final int RUNS = 3;
    private static final int MOST_LOOKS = 50;
    private static final long PAUSE_NANOS = 20_000_000;

    private HeldFigures() {}

    static void print(Effort effort) throws Exception {
        Effort fewer = effort.withRuns(WARM_UPS, RUNS);
        LiveFigures.line("%nHeld by a migration of one VF with pre-copy, at most, in bytes");
        LiveFigures.line("%-12s %10s %14s %14s %16s %14s %14s", "queue pairs", "guest MiB", "one image", "all carried",
                "bufferBytes", "heap", "direct");
        for (int queuePairs : effort.queuePairs()) {
            print(fewer, queuePairs, 0);
        }
        for (int mebibytes : GUEST_MEBIBYTES) {
            print(fewer, 1, mebibytes);
        }
    }

    private static void print(Effort effort, int queuePairs, int guestMebibytes) throws Exception {
        EmulatedHosts hosts = EmulatedHosts.start(1, queuePairs);
        try {
            Shuttle shuttle = new Shuttle(hosts, guestMebibytes << 20);
            long image = shuttle.migrate(false).stateBytes();
            List<Peak> peaks = new ArrayList<>();
            for (int run = -effort.warmUps(); run < effort.runs(); run++) {
                Peak peak = Peak.of(shuttle);
                if (run >= 0) {
                    peaks.add(peak);
                }
            }
            MigrationReport report = peaks.get(0).report();
            LiveFigures.line("%-12d %10d %14d %14d %16d %14.0f %14.0f", queuePairs, guestMebibytes, image,
                    report.stateBytes() + report.memoryBytes(), report.bufferBytes(),
                    LiveFigures.median(peaks.stream().mapToDouble(Peak::heap).toArray()),
                    LiveFigures.median(peaks.stream().mapToDouble(Peak::direct).toArray()));
        } finally {
            hosts.stop();
        }
    }

    /** The most of one migration. */
    private record Peak(MigrationReport report, long heap, long direct) {

        static Peak of(Shuttle shuttle) throws Exception {
            Live before = Live.settled();
            List<Live> during = new ArrayList<>();
            MigrationReport report = shuttle.migrate(1, true, event -> during.add(Live.now()));
            // What an earlier migration left may go during this one.
            Live after = Live.settled();
            return new Peak(
                    report,
                    during.stream().mapToLong(Live::heap).max().orElseThrow() - Math.min(before.heap(), after.heap()),
                    during.stream().mapToLong(Live::direct).max().orElseThrow()
                            - Math.min(before.direct(), after.direct()));
        }
    }

    /** Memory in use after a collection. */
    private record Live(long heap, long direct) {

        /** Direct buffers are given back some time after the collection that finds them. */
        static Live settled() {
            Live last = now();
            for (int look = 0; look < MOST_LOOKS; look++) {
                LockSupport.parkNanos(PAUSE_NANOS);
                Live next = now();
                if (next.direct() == last.direct()) {
                    return next;
                }
                last = next;
            }
            return last;
        }

        static Live now() {
            System.gc();
            long heap = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
            long direct = ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class).stream()
                    .filter(pool -> pool.getName().equals("direct"))
                    .mapToLong(BufferPoolMXBean::getMemoryUsed)
                    .sum();
            return new Live(heap, direct);
        }
    }
}
