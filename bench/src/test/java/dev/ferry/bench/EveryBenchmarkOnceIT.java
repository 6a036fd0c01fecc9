// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.Collection;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.results.RunResult;
import org.openjdk.jmh.runner.Runner;
import org.openjdk.jmh.runner.options.Options;
import org.openjdk.jmh.runner.options.OptionsBuilder;
import org.openjdk.jmh.runner.options.TimeValue;
import org.openjdk.jmh.runner.options.VerboseMode;

/** Every benchmark still works; how fast is not looked at. */
class EveryBenchmarkOnceIT {

    @Test
    void shouldRunEveryJmhBenchmarkWhenCalledOnce() throws Exception {
        Options once = new OptionsBuilder()
                .mode(Mode.SingleShotTime)
                .forks(0)
                .warmupIterations(0)
                .measurementIterations(1)
                .measurementTime(TimeValue.milliseconds(1))
                .shouldFailOnError(true)
                .verbosity(VerboseMode.SILENT)
                .build();

        Collection<RunResult> results = new Runner(once).run();

        assertThat(results)
                .extracting(result -> result.getParams().getBenchmark().replaceAll(".*\\.(\\w+)\\.\\w+$", "$1"))
                .contains(
                        "TransitionTableBenchmark",
                        "RecordBenchmark",
                        "StatePathBenchmark",
                        "AdminCommandBenchmark",
                        "FramesBenchmark");
    }

    @ParameterizedTest
    @ValueSource(strings = {"harvest", "memory", "held", "devices", "smartnic"})
    void shouldNotFailWhenPartOfLiveFiguresRunsOnce(String part) {
        assertThatCode(() -> LiveFigures.main("--once", part)).doesNotThrowAnyException();
    }

    @Test
    void shouldRefuseWhenThereIsNoSuchPart() {
        assertThatThrownBy(() -> LiveFigures.main("--once", "nothing"))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not nothing");
    }
}
