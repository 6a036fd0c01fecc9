// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.Convergence;
import dev.ferry.migration.Convergence.OnStall;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.util.Map;
import picocli.CommandLine.Option;
import picocli.CommandLine.TypeConversionException;

/** How to migrate, as options of every command that does; a mixin. Confined to the thread of the run. */
public final class MigrationOptions {

    private static final String MAX_DOWNTIME = "--max-downtime";
    private static final String BANDWIDTH = "--bandwidth";
    private static final String TIMEOUT = "--timeout";
    private static final String PROGRESS_TIMEOUT = "--progress-timeout";
    private static final String RAMP_LIMIT = "--ramp-limit";
    private static final String ON_STALL = "--on-stall";
    private static final Map<String, OnStall> OUTCOMES =
            Map.of("fail", OnStall.FAIL, "switchover", OnStall.SWITCH_OVER);

    @Option(
            names = MAX_DOWNTIME,
            paramLabel = "TIME",
            description = "How long the guest may be paused, for example 150ms or 1.5s; default: 300ms. No limit "
                    + "for --no-precopy.")
    private Duration maxDowntime;

    @Option(
            names = RAMP_LIMIT,
            paramLabel = "TIME",
            description = "How far the allowed downtime may grow when the guest dirties memory too fast; default: "
                    + "not at all.")
    private Duration rampLimit;

    @Option(
            names = ON_STALL,
            paramLabel = "OUTCOME",
            description = "What to do when the guest dirties memory too fast for the allowed downtime, including "
                    + "--ramp-limit: fail keeps it at the source, switchover accepts a longer downtime; default: "
                    + "fail.")
    private OnStall onStall;

    @Option(
            names = BANDWIDTH,
            paramLabel = "RATE",
            description = "The most to transfer per second: B/s, kB/s, MB/s, GB/s, KiB/s, MiB/s, GiB/s, bit/s, kbit/s, "
                    + "Mbit/s, Gbit/s, or unlimited, for example 100MB/s; default: unlimited.")
    private Bandwidth bandwidth;

    @Option(
            names = TIMEOUT,
            paramLabel = "TIME",
            description = "Abort after this time (ms, s, min, h; default: 10min); the guest stays at the source. A "
                    + "device call in progress is completed first, even if the guest is paused.")
    private Duration timeout;

    @Option(
            names = PROGRESS_TIMEOUT,
            paramLabel = "TIME",
            description = "Abort when nothing is transferred and no device changes its state for this time; default: "
                    + "30s. Otherwise as --timeout.")
    private Duration progressTimeout;

    @Option(
            names = "--no-precopy",
            description = "Transfer everything while the guest is paused, however long that takes; --max-downtime, "
                    + "--ramp-limit and --on-stall are ignored.")
    private boolean noPrecopy;

    /** The request with what was typed. */
    public MigrationRequest applyTo(MigrationRequest request) throws UsageException {
        MigrationRequest made = request.withPreCopy(!noPrecopy);
        if (maxDowntime != null) {
            made = made.withMaxDowntime(maxDowntime);
        }
        if (rampLimit != null) {
            made = made.withConvergence(ramp(made.convergence()));
        }
        if (onStall != null) {
            made = made.withConvergence(made.convergence().withOnStall(onStall));
        }
        if (bandwidth != null) {
            made = made.withBandwidth(bandwidth);
        }
        if (timeout != null) {
            made = made.withTimeout(timeout);
        }
        if (progressTimeout != null) {
            made = made.withTimeouts(made.timeouts().withNoProgress(progressTimeout));
        }
        return made;
    }

    private Convergence ramp(Convergence convergence) throws UsageException {
        if (rampLimit.compareTo(convergence.maxDowntime()) < 0) {
            throw new UsageException("%s takes no less than the downtime allowed to begin with, %s, not %s".formatted(
                    RAMP_LIMIT, Amounts.time(convergence.maxDowntime()), Amounts.time(rampLimit)));
        }
        return convergence.withRampLimit(rampLimit);
    }

    /** The type of an option. */
    static OnStall outcome(String text) {
        OnStall outcome = OUTCOMES.get(text);
        if (outcome == null) {
            throw new TypeConversionException("'%s' is neither fail nor switchover".formatted(text));
        }
        return outcome;
    }

    /** Whether pre-copy is switched off. */
    public boolean isWithoutPreCopy() {
        return noPrecopy;
    }
}
