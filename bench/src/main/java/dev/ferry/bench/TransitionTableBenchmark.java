// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.TransitionTable;
import dev.ferry.fsm.core.internal.table.FeatureTransitionTable;
import java.util.EnumSet;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;

/** One lookup in the transition table: a single step, and the whole way of the longest path. */
@State(Scope.Benchmark)
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.NANOSECONDS)
public class TransitionTableBenchmark {

    /** State asked from. */
    @Param({"RUNNING", "RESUMING"})
    public DeviceState from;

    /** State asked for. */
    @Param({"STOP_COPY", "PRE_COPY"})
    public DeviceState to;

    private final TransitionTable table = new FeatureTransitionTable();
    private final Set<MigrationFeature> features = EnumSet.allOf(MigrationFeature.class);

    /** One call of the next-state function. */
    @Benchmark
    public Optional<DeviceState> next() {
        return table.next(features, from, to);
    }

    /** All arcs of the way. */
    @Benchmark
    public int path() {
        return table.path(features, from, to).size();
    }
}
