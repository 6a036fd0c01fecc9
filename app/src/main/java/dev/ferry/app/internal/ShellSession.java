// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.Charset;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.function.IntSupplier;
import java.util.function.Supplier;
import org.apache.felix.gogo.runtime.Closure;
import org.apache.felix.gogo.runtime.CommandNotFoundException;
import org.apache.felix.gogo.runtime.CommandSessionImpl;
import org.apache.felix.gogo.runtime.Parser;
import org.apache.felix.gogo.runtime.Parser.Executable;
import org.apache.felix.gogo.runtime.Parser.Program;
import org.apache.felix.gogo.runtime.Parser.Statement;
import org.apache.felix.gogo.runtime.SyntaxError;
import org.apache.felix.service.command.CommandProcessor;
import org.apache.felix.service.command.CommandSession;
import org.apache.felix.service.command.Converter;
import org.apache.felix.service.command.Function;

/** One Gogo session on the streams of the process. Confined to one thread, but for {@link #interrupts}. */
final class ShellSession implements AutoCloseable {

    private static final int FAILED = 1;
    private static final int USAGE = 2;
    private static final String PROMPT = "ferry> ";
    private static final String BACKGROUND = "&";
    private static final String NEXT = ";";
    private static final String HELP_OF = "help ";
    private static final Set<String> LEAVING = Set.of("exit", "quit");
    /** System property: whether somebody types; the launcher script knows, since Java does not tell reliably. */
    private static final String TERMINAL = "ferry.terminal";

    private final Supplier<CommandDirectory> commands;
    private final boolean debug;
    private final CommandSession session;
    private final ProcessStreams streams;
    private final PrintStream out;
    private final PrintStream err;
    private final Interrupts interrupts;
    private boolean left;

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
        this.interrupts = new Interrupts(() -> {
            out.print("\n`exit` leaves\n" + PROMPT);
            out.flush();
        });
        this.session = processor.createSession(streams.in(), out, err);
        // Our commands first: other bundles may have commands of the same names.
        session.put("SCOPE", CommandDirectory.SCOPE + ":*");
    }

    /** Runs one command with arguments that reach it as they are: nothing is parsed, quoted or expanded. */
    int command(String name, List<String> arguments) {
        Function function = (Function) session.get(CommandDirectory.SCOPE + ":" + name);
        if (function == null) {
            return misused("the command '" + name + "' is no longer available");
        }
        return guarded(
                Thread.currentThread()::interrupt, false, () -> function.execute(session, new ArrayList<>(arguments)));
    }

    /** Commands that depend on each other. */
    private int joined(String text) {
        // Gogo runs commands on threads of the session, which it interrupts when the session is closed.
        return guarded(session::close, false, () -> {
            if (new Parser(text).program().tokens().stream().anyMatch(token -> token.toString().equals(BACKGROUND))) {
                throw new Refused("background execution with '&' is not supported; separate commands with ';'");
            }
            return session.execute(text);
        });
    }

    /** What runs now, for whoever wants to interrupt it. Any thread. */
    Interrupts interrupts() {
        return interrupts;
    }

    /**
     * Reads commands line by line to the end of standard input.
     *
     * @return 0 at a terminal; else the status of the first line that failed, or 0
     */
    int interact() throws IOException {
        boolean terminal = Boolean.parseBoolean(System.getProperty(TERMINAL, "" + (System.console() != null)));
        if (terminal) {
            interrupts.atPrompt();
        }
        BufferedReader lines = new BufferedReader(new InputStreamReader(streams.in(), Charset.defaultCharset()));
        int status = 0;
        while (!interrupts.isOver() && !left) {
            if (terminal) {
                out.print(PROMPT);
                out.flush();
            }
            String line = lines.readLine();
            if (line == null) {
                break;
            }
            int ended = line(line.strip());
            status = status == 0 ? ended : status;
        }
        return terminal ? 0 : status;
    }

    private int line(String line) {
        if (line.isEmpty()) {
            return 0;
        }
        if (line.equals("help")) {
            out.print(commands.get().lines());
            out.println("  help, exit (or quit); for details: `COMMAND --help`");
            return 0;
        }
        return script(line.startsWith(HELP_OF) ? line.substring(HELP_OF.length()).strip() + " --help" : line);
    }

    /**
     * Runs a text of commands, up to the first that fails. Those apart by {@code ;} run on this thread, so that an
     * interrupt reaches the one that runs, and this waits for its end. Gogo would run them on threads of the session,
     * for which it does not wait then, and whose streams an interrupt closes.
     */
    int script(String text) {
        Program program;
        try {
            program = new Parser(text).program();
        } catch (RuntimeException e) {
            // Told by what follows.
            return joined(text);
        }
        if (!program.tokens().stream().allMatch(ShellSession::isAlone)) {
            return joined(text);
        }
        return guarded(Thread.currentThread()::interrupt, true, () -> {
            Closure closure = new Closure((CommandSessionImpl) session, null, program);
            Object result = null;
            for (Executable each : program.tokens()) {
                if (each instanceof Statement command && !interrupts.isOver()) {
                    result = closure.execute(command);
                }
            }
            return result;
        });
    }

    private static boolean isAlone(Executable part) {
        return part instanceof Statement command
                ? command.redirections().isEmpty()
                : part.toString().equals(NEXT);
    }

    @Override
    public void close() {
        session.close();
    }

    /** A text that Gogo would take and we do not; the message says why. */
    private static final class Refused extends Exception {
        private static final long serialVersionUID = 1L;

        Refused(String message) {
            super(message);
        }
    }

    @FunctionalInterface
    private interface Execution {
        Object execute() throws Exception;
    }

    // Commands print their own errors, and then end in an exception that carries the exit status.
    private int guarded(Runnable how, boolean alone, Execution execution) {
        interrupts.begin(how, alone);
        try {
            if (interrupts.isOver()) {
                return FAILED;
            }
            Object result = execution.execute();
            if (result != null) {
                out.println(session.format(result, Converter.INSPECT));
            }
            return 0;
        } catch (CommandNotFoundException e) {
            if (LEAVING.contains(e.getCommand())) {
                left = true;
                return 0;
            }
            return misused(
                    "there is no command '" + e.getCommand() + "'; the commands are " + commands.get().names());
        } catch (Exception e) {
            if (e instanceof IntSupplier exit) {
                trace(e.getCause());
                return exit.getAsInt();
            }
            trace(e);
            if (e instanceof SyntaxError || e.getCause() instanceof SyntaxError) {
                return misused("not a valid command line: " + oneLine(e));
            }
            if (e instanceof Refused) {
                return misused(e.getMessage());
            }
            if (e instanceof InterruptedException) {
                err.println("ferry: interrupted before it was done");
                return FAILED;
            }
            // What Gogo itself cannot do, it says in this exception.
            if (e instanceof IllegalArgumentException) {
                return misused("not a valid command line: expected a command name and arguments,"
                        + " separated by spaces");
            }
            err.println("ferry: " + (e.getMessage() == null ? e : e.getMessage()));
            return FAILED;
        } finally {
            interrupts.ended();
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
