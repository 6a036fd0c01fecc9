// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import dev.ferry.migration.MigrationEvent;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationPhase;
import dev.ferry.migration.MigrationProgress;
import java.io.PrintStream;
import java.util.function.LongSupplier;

/**
 * Shows on standard error how far a migration is: a bar that is drawn anew where a person looks at a terminal, else
 * lines, of which those about bytes come once a second at most. Thread-safe: events come on the thread of the
 * migration, the end on that of the command.
 */
public final class ProgressDisplay implements MigrationListener, AutoCloseable {

    /** System property: whether standard error is a terminal; the launcher script knows, Java does not. */
    private static final String TERMINAL = "ferry.terminal.err";

    /** System property: how wide that terminal is, from the same place. */
    private static final String COLUMNS = "ferry.terminal.columns";

    private static final long LINE_NANOS = 1_000_000_000L;
    private static final int BAR_CELLS = 20;
    private static final int COMPLETE = 100;
    /** A usual terminal; what is wider would not be read at a glance. */
    private static final int USUAL_COLUMNS = 80;
    /** ECMA-48: carriage return, then erase to the end of the line. */
    private static final String BEGIN_AGAIN = "\r\u001b[K";

    private final PrintStream err;
    private final boolean bar;
    /** What fits without a line break, which a bar could not take back. */
    private final int mostColumns;
    private final LongSupplier nanos;
    private MigrationPhase phase;
    private long lastLine;
    private boolean barShown;
    private boolean closed;

    /** A display for the standard error of a command. */
    public static ProgressDisplay on(Console console) {
        return new ProgressDisplay(console.err(), Boolean.getBoolean(TERMINAL), columns(), System::nanoTime);
    }

    // A terminal that does not know its size says 0.
    private static int columns() {
        int columns = Integer.getInteger(COLUMNS, USUAL_COLUMNS);
        return columns < 1 || columns > USUAL_COLUMNS ? USUAL_COLUMNS : columns;
    }

    ProgressDisplay(PrintStream err, boolean bar, int columns, LongSupplier nanos) {
        this.err = err;
        this.bar = bar;
        this.mostColumns = columns - 1;
        this.nanos = nanos;
        this.lastLine = nanos.getAsLong();
    }

    @Override
    public synchronized void onEvent(MigrationEvent event) {
        if (closed) {
            return;
        }
        if (event instanceof MigrationEvent.PhaseStarted started) {
            begin(started.phase());
        } else if (event instanceof MigrationEvent.ArcTaken taken && !bar) {
            line("  %s: %s -> %s".formatted(taken.device(), taken.arc().from(), taken.arc().to()));
        } else if (event instanceof MigrationEvent.Decided decided) {
            line("  %s: %s".formatted(decided.decision().kind(), decided.decision().message()));
        } else if (event instanceof MigrationEvent.Progress now) {
            show(now.progress());
        }
    }

    /** One line of something else, between those about the migration. */
    public synchronized void say(String line) {
        if (!closed) {
            line(line);
        }
    }

    /** Takes the bar away; events that come later are not shown. */
    @Override
    public synchronized void close() {
        if (barShown) {
            err.print(BEGIN_AGAIN);
            err.flush();
        }
        barShown = false;
        closed = true;
    }

    private void begin(MigrationPhase next) {
        phase = next;
        if (bar) {
            draw(next.name());
        } else {
            line(next.name());
        }
    }

    private void line(String text) {
        err.print(barShown ? BEGIN_AGAIN : "");
        barShown = false;
        err.println(text);
        err.flush();
    }

    private void show(MigrationProgress progress) {
        if (bar) {
            int filled = progress.percent() * BAR_CELLS / COMPLETE;
            draw("[%s%s] %2d %% %s".formatted(
                    "#".repeat(filled), ".".repeat(BAR_CELLS - filled), progress.percent(), words(progress)));
        } else if (nanos.getAsLong() - lastLine >= LINE_NANOS) {
            lastLine = nanos.getAsLong();
            line("  %d %% %s".formatted(progress.percent(), words(progress)));
        }
    }

    private void draw(String text) {
        err.print(BEGIN_AGAIN + text.substring(0, Math.min(text.length(), mostColumns)));
        err.flush();
        barShown = true;
    }

    private String words(MigrationProgress progress) {
        if (progress.waiting()) {
            return "waits for its turn";
        }
        MigrationProgress.Transfer total = progress.total();
        Remaining left = Remaining.of(progress);
        return "%s%s: %s at %s, %s left%s".formatted(
                phase == null ? progress.phase() : phase,
                progress.round() > 0 ? " round " + progress.round() : "",
                Amounts.bytes(total.bytes()),
                Amounts.rate(total.bytesPerSecond()),
                left.whole() || left.bytes() > 0 ? left.text() : "an unknown amount",
                progress.timeLeft().map(range -> ", " + Amounts.range(range)).orElse(""));
    }
}
