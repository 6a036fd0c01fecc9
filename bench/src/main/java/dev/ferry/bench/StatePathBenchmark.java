// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationRequest;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationService;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** Full paths of device states on an emulated VF, and whole migrations between two, without a guest. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
public class StatePathBenchmark {

    private static final String HERE = "host1/pf0/vf1";
    private static final String THERE = "host2/pf0/vf1";

    /** Queue pairs of the VF, which the size of its state follows. */
    @Param({"1", "64"})
    public int queuePairs;

    private EmulatedHosts hosts;
    private MigrationService migrations;
    private String source = HERE;
    private String destination = THERE;

    /** Starts the hosts. */
    @Setup(Level.Trial)
    public void start() throws Exception {
        hosts = EmulatedHosts.start(1, queuePairs);
        migrations = hosts.migrations();
    }

    /** Stops them. */
    @TearDown(Level.Trial)
    public void stop() throws Exception {
        hosts.stop();
    }

    /** RUNNING to STOP_COPY and back: six arcs, one data transfer session with its resource object. */
    @Benchmark
    public int stopCopyAndBack() throws MigrationException {
        return migrations.setState(source, DeviceState.STOP_COPY).arcs().size()
                + migrations.setState(source, DeviceState.RUNNING).arcs().size();
    }

    /** One migration; the next one goes the other way. */
    @Benchmark
    public MigrationReport migrate() {
        MigrationReport report = migrations
                .start(MigrationRequest.of(source, destination).withPreCopy(false), MigrationListener.NONE)
                .result()
                .toCompletableFuture()
                .join();
        if (report.result() != MigrationReport.Result.COMPLETED) {
            throw new IllegalStateException(report.toString());
        }
        String former = source;
        source = destination;
        destination = former;
        return report;
    }
}
