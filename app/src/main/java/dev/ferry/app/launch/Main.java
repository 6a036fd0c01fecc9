// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.launch;

import java.io.PrintStream;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Entry point of the runnable jar: a framework of its own for one run, then the exit status of that run. */
public final class Main {

    private static final int FAILED = 1;
    private static final long UNWIND_MILLIS = 2_500;
    /** For the bundles to stop, after a signal: whoever sent it waits. */
    private static final Duration SOON = Duration.ofMillis(2_500);
    /** The same, when nobody waits: the drain timeout of the migration service, 10 s by default, and a margin. */
    private static final Duration IN_ORDER = Duration.ofMillis(12_500);
    private static final String DEBUG = "--debug";
    private static final String LOG_LEVEL = "ferry.log.level";
    private static final String LOGBACK = "logback.configurationFile";

    /** Tells every service loader it weaves; held here, since a logger that nobody holds forgets its level. */
    private static final Logger SPI_FLY = Logger.getLogger("org.apache.aries.spifly");

    private Main() {}

    /** Runs the application and ends the process. */
    public static void main(String... arguments) {
        boolean debug = List.of(arguments).contains(DEBUG);
        if (debug && System.getProperty(LOG_LEVEL) == null) {
            System.setProperty(LOG_LEVEL, "DEBUG");
        }
        SPI_FLY.setLevel(debug ? Level.INFO : Level.WARNING);
        if (System.getProperty(LOGBACK) == null) {
            System.setProperty(LOGBACK, Main.class.getResource("/logback.xml").toString());
        }
        PrintStream err = System.err;
        StrayOutput stray = new StrayOutput(err);
        System.setOut(new PrintStream(stray, true));
        // The log of all bundles goes there, too.
        StrayOutput log = new StrayOutput(err);
        System.setErr(new PrintStream(log, true));
        int status = FAILED;
        try {
            status = run(stray, log, err, debug, arguments);
        } catch (Exception e) {
            System.err.println("ferry: the application failed: " + e.getMessage());
            if (debug) {
                e.printStackTrace();
            }
        }
        System.exit(status);
    }

    private static int run(
            StrayOutput stray, StrayOutput log, PrintStream err, boolean debug, String... arguments) throws Exception {
        Application application = new Application();
        AtomicBoolean over = new AtomicBoolean();
        AtomicBoolean interrupted = new AtomicBoolean();
        // Ctrl-C, or a polite kill: first the command that runs puts things back, then the bundles stop under it.
        Thread hook = new Thread(() -> {
            if (!over.get()) {
                interrupted.set(true);
                log.mute();
                interrupt(application, err);
            }
            stop(application, stray, debug, SOON);
        }, "ferry-shutdown");
        Runtime.getRuntime().addShutdownHook(hook);
        InterruptKey.offer(application::interruptCommand, debug);
        int status = FAILED;
        boolean stopped = false;
        try {
            status = application.run(arguments);
        } catch (Exception e) {
            // A framework that is stopped under the command that runs is no news to who stopped it.
            if (!interrupted.get()) {
                throw e;
            }
        } finally {
            over.set(true);
            stopped = stop(application, stray, debug, IN_ORDER);
        }
        if (stopped || interrupted.get()) {
            return status;
        }
        System.err.println("ferry: the bundles have not stopped within %d s; look at the states of the devices before "
                .formatted(IN_ORDER.toSeconds()) + "you use them");
        return FAILED;
    }

    // On a thread of its own: a write to a pipe that nobody reads must not hold up the end.
    private static void interrupt(Application application, PrintStream err) {
        Thread unwinding = new Thread(() -> application.interrupt(err), "ferry-unwinding");
        unwinding.setDaemon(true);
        unwinding.start();
        try {
            unwinding.join(UNWIND_MILLIS);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private static boolean stop(Application application, StrayOutput stray, boolean debug, Duration limit) {
        if (!debug) {
            stray.mute();
        }
        return application.stop(limit);
    }
}
