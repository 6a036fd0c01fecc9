// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import dev.ferry.migration.Migration;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collection;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import java.util.regex.Pattern;

/**
 * How what runs comes to its end: by itself, after the last command, or because somebody asks for it. One thread runs
 * the commands and tells what it is about; any other thread asks.
 */
final class Ending {

    private static final int FAILED = 1;
    /** System property: whether standard error is a terminal, on which progress is drawn in place. */
    private static final String TERMINAL = "ferry.terminal.err";
    /** ECMA-48: carriage return, then erase to the end of the line. */
    private static final String BEGIN_AGAIN = "\r\u001b[K";
    /** A sentence that goes on in the same line ends otherwise. */
    private static final Pattern FULL_STOP = Pattern.compile("\\.$");
    /** For what runs in the background when no more commands come: a call of a driver is not interrupted. */
    private static final Duration LAST_WAIT = Duration.ofMinutes(1);

    private final ProcessStreams streams;
    private final Supplier<List<Migration>> underWay;
    private final Duration unwoundWithin;
    private final CountDownLatch ended = new CountDownLatch(1);

    private Thread thread;
    private Interrupts interrupts;
    private boolean interrupted;

    /**
     * Nothing runs yet.
     *
     * @param underWay gives the migrations that have not ended; any thread
     * @param unwoundWithin how long {@link #now} waits
     */
    Ending(ProcessStreams streams, Supplier<List<Migration>> underWay, Duration unwoundWithin) {
        this.streams = streams;
        this.underWay = underWay;
        this.unwoundWithin = unwoundWithin;
    }

    /**
     * Runs the commands on this thread, unless somebody asked for the end before; after them, however they ended,
     * migrations that still run are stopped, and it is said what became of them.
     *
     * @return the exit status, given that of the commands
     */
    int after(IntSupplier commands) {
        if (!begun()) {
            return FAILED;
        }
        int status = FAILED;
        try {
            status = commands.getAsInt();
        } finally {
            status = last(status);
        }
        return status;
    }

    /** The commands of a session run now. */
    synchronized void of(Interrupts session) {
        interrupts = session;
        if (interrupted) {
            interrupts.all();
        }
    }

    /** All was printed: whoever asked for the end waits no longer. */
    void done() {
        ended.countDown();
    }

    /** Ctrl-C, see {@link Interrupts#command}. */
    boolean command() {
        return interrupts().map(Interrupts::command).orElse(false);
    }

    /**
     * Interrupts what runs and waits, for a bounded time, until it has put things back. One line, what came of all
     * migrations under way, stands for all that would be complained of from now on; then standard error is closed.
     */
    void now() {
        if (ended.getCount() == 0) {
            return;
        }
        boolean atPrompt = interrupts().map(each -> !each.isRunning()).orElse(false);
        // Those in the background, too, and those of commands that depend on each other, which nobody waits for.
        Map<String, Migration> left = new LinkedHashMap<>();
        addUnderWay(left);
        streams.holdErrors();
        long deadline = System.nanoTime() + unwoundWithin.toNanos();
        interrupt();
        // Until then, one more could begin.
        addUnderWay(left);
        left.values().forEach(Migration::cancel);
        boolean over = awaitEnd();
        streams.endErrors(atPrompt && left.isEmpty() ? "" : lastLine(over, cameOf(left.values(), deadline)));
    }

    private void addUnderWay(Map<String, Migration> to) {
        underWay.get().forEach(migration -> to.putIfAbsent(migration.id(), migration));
    }

    private static String lastLine(boolean over, List<String> cameOf) {
        String outcome = over ? "interrupted" : "interrupted, and what ran has not ended";
        String between = cameOf.isEmpty() ? "" : over ? ": " : "; ";
        // Where a bar is drawn, and Ctrl-C was echoed behind it.
        return (Boolean.getBoolean(TERMINAL) ? BEGIN_AGAIN : "")
                + "ferry: %s%n".formatted(outcome + between + String.join("; ", cameOf));
    }

    private static List<String> cameOf(Collection<Migration> left, long deadline) {
        List<String> said = new ArrayList<>();
        try {
            new UnderWay(List.copyOf(left), sentence -> said.add(FULL_STOP.matcher(sentence).replaceFirst("")))
                    .end(Duration.ofNanos(deadline - System.nanoTime()));
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
        return said;
    }

    private boolean awaitEnd() {
        try {
            return ended.await(unwoundWithin.toMillis(), TimeUnit.MILLISECONDS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            return false;
        }
    }

    private synchronized boolean begun() {
        thread = Thread.currentThread();
        return !interrupted;
    }

    private synchronized Optional<Interrupts> interrupts() {
        return Optional.ofNullable(interrupts);
    }

    private synchronized void interrupt() {
        interrupted = true;
        if (interrupts != null) {
            interrupts.all();
        } else if (thread != null) {
            thread.interrupt();
        }
    }

    private int last(int status) {
        synchronized (this) {
            if (interrupted) {
                return status;
            }
            // From now on an interrupt is for this thread, and there is no prompt any more.
            interrupts = null;
        }
        UnderWay left = new UnderWay(underWay.get(), this::complain);
        left.stop();
        try {
            boolean inOrder = left.end(LAST_WAIT);
            return status == 0 && !inOrder ? FAILED : status;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            complain("interrupted before it was done");
            return FAILED;
        }
    }

    private void complain(String sentence) {
        streams.err().println("ferry: " + sentence);
    }
}
