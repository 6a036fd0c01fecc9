// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.launch;

import java.io.PrintStream;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.logging.Level;
import java.util.logging.Logger;

/** Entry point of the runnable jar: a framework of its own for one run, then the exit status of that run. */
public final class Main {

    private static final int FAILED = 1;
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
        StrayOutput stray = new StrayOutput(System.err);
        System.setOut(new PrintStream(stray, true));
        int status = FAILED;
        try {
            status = run(stray, debug, arguments);
        } catch (Exception e) {
            System.err.println("ferry: the application failed: " + e.getMessage());
            if (debug) {
                e.printStackTrace();
            }
        }
        System.exit(status);
    }

    private static int run(StrayOutput stray, boolean debug, String... arguments) throws Exception {
        Application application = new Application();
        AtomicBoolean interrupted = new AtomicBoolean();
        // Ctrl-C, or a polite kill: whatever runs is unwound by the bundles that own it.
        Thread hook = new Thread(() -> {
            interrupted.set(true);
            stop(application, stray, debug);
        }, "ferry-shutdown");
        Runtime.getRuntime().addShutdownHook(hook);
        try {
            return application.run(arguments);
        } catch (Exception e) {
            // A framework that is stopped under the command that runs is no news to who stopped it.
            if (interrupted.get()) {
                return FAILED;
            }
            throw e;
        } finally {
            stop(application, stray, debug);
        }
    }

    private static void stop(Application application, StrayOutput stray, boolean debug) {
        if (!debug) {
            stray.mute();
        }
        application.stop();
    }
}
