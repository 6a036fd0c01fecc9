// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.apache.felix.gogo.runtime.CommandNotFoundException;
import org.apache.felix.gogo.runtime.SyntaxError;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import org.apache.felix.service.command.Function;

/** One Gogo session on the streams of the process. Confined to one thread. */
final class ShellSession implements AutoCloseable {

    private static final int FAILED = 1;
    private static final int USAGE = 2;
    private static final String PROMPT = "ferry> ";
    /** System property: whether somebody types; the launcher script knows, since Java does not tell reliably. */
    private static final String TERMINAL = "ferry.terminal";

    private final Supplier<CommandDirectory> commands;
    private final boolean debug;
    private final CommandSession session;
    private final ProcessStreams streams;
    private final PrintStream out;
    private final PrintStream err;

    /**
     * A session without variables of its own.
     *
     * @param commands is asked anew each time, since commands come and go
     * @param debug whether stack traces of errors are printed
     */
    ShellSession(
            CommandProcessor processor, Supplier<CommandDirectory> commands, ProcessStreams streams, boolean debug) {
        this.commands = commands;
        this.debug = debug;
        this.streams = streams;
        this.out = streams.out();
        this.err = streams.err();
        this.session = processor.createSession(streams.in(), out, err);
        // Our commands first: other bundles may have commands of the same names.
        session.put("SCOPE", CommandDirectory.SCOPE + ":*");
    }

    /** Runs one command with arguments that reach it as they are: nothing is parsed, quoted or expanded. */
    int command(String name, List<String> arguments) {
        Function function = (Function) session.get(CommandDirectory.SCOPE + ":" + name);
        if (function == null) {
            return misused("the command '" + name + "' has gone");
        }
        return guarded(() -> function.execute(session, new ArrayList<>(arguments)));
    }

    /** Runs a text of commands, up to the first that fails. */
    int script(String text) {
        return guarded(() -> session.execute(text));
    }

    /**
     * Reads commands line by line to the end of standard input.
     *
     * @return 0 at a terminal; else the status of the first line that failed, or 0
     */
    int interact() throws IOException {
        boolean terminal = Boolean.parseBoolean(System.getProperty(TERMINAL, "" + (System.console() != null)));
        BufferedReader lines = new BufferedReader(new InputStreamReader(streams.in(), Charset.defaultCharset()));
        int status = 0;
        while (true) {
            if (terminal) {
                out.print(PROMPT);
                out.flush();
            }
            String line = lines.readLine();
            if (line == null || line.strip().equals("exit")) {
                return terminal ? 0 : status;
            }
            int ended = line(line.strip());
            status = status == 0 ? ended : status;
        }
    }

    private int line(String line) {
        if (line.isEmpty()) {
            return 0;
        }
        if (line.equals("help")) {
            out.print(commands.get().lines());
            out.println("  help, exit; `COMMAND --help` tells more of a command");
            return 0;
        }
        return script(line);
    }

    @Override
    public void close() {
        session.close();
    }

    @FunctionalInterface
    private interface Execution {
        Object execute() throws Exception;
    }

    // Commands print their own errors, and then end in an exception that carries the exit status.
    private int guarded(Execution execution) {
        try {
            Object result = execution.execute();
            if (result != null) {
                out.println(session.format(result, Converter.INSPECT));
            }
            return 0;
        } catch (CommandNotFoundException e) {
            return misused(
                    "there is no command '" + e.getCommand() + "'; the commands are " + commands.get().names());
        } catch (Exception e) {
            if (e instanceof IntSupplier exit) {
                trace(e.getCause());
                return exit.getAsInt();
            }
            trace(e);
            if (e instanceof SyntaxError || e.getCause() instanceof SyntaxError) {
                return misused("this is no command line: " + oneLine(e));
            }
            err.println("ferry: " + (e.getMessage() == null ? e : e.getMessage()));
            return FAILED;
        } finally {
            out.flush();
        }
    }

    private static String oneLine(Exception error) {
        return String.valueOf(error.getMessage()).lines().findFirst().orElse("syntax error");
    }

    private void trace(Throwable error) {
        if (debug && error != null) {
            error.printStackTrace(err);
        }
    }

    private int misused(String sentence) {
        err.println("ferry: " + sentence);
        return USAGE;
    }
}
