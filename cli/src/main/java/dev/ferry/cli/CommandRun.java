// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import com.google.gson.JsonObject;
import dev.ferry.migration.Bandwidth;
import dev.ferry.migration.Convergence.OnStall;
import java.time.Duration;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.Help;
import picocli.CommandLine.ParameterException;

/** One run of one command with the arguments a user typed. */
public final class CommandRun {

    private static final String PROGRAM = "ferry";
    private static final String JSON = "--json";

    private final FerryCommand command;
    private final Console console;
    private final CommandLine line;
    private Throwable untraced;
    private boolean interrupted;

    private CommandRun(FerryCommand command, Console console) {
        this.command = command;
        this.console = console;
        // An argument that begins with @ is an argument, not the name of a file with more of them.
        this.line = new CommandLine(command)
                .setExpandAtFiles(false)
                .registerConverter(int.class, Misreading::wholeNumber)
                // Read by the parser, as a value that is none is the better reason than a parameter that it hides.
                .registerConverter(Duration.class, Quantities::time)
                .registerConverter(Bandwidth.class, Quantities::bandwidth)
                .registerConverter(OnStall.class, MigrationOptions::outcome)
                .setColorScheme(Help.defaultColorScheme(Help.Ansi.OFF));
        line.setCommandName(PROGRAM + " " + line.getCommandName());
    }

    /**
     * Runs a command on the streams of the calling thread; a Gogo command method calls this and nothing else.
     *
     * @param command made for this run
     * @throws CommandExit when the exit status is not 0; what went wrong was printed
     */
    public static void of(FerryCommand command, String... arguments) {
        of(command, Console.ofThread(), arguments);
    }

    /** The same, with streams of the caller's choice. */
    public static void of(FerryCommand command, Console console, String... arguments) {
        CommandRun run = new CommandRun(command, console);
        int status = run.run(arguments);
        console.out().flush();
        console.err().flush();
        if (run.interrupted) {
            // Not before: a shell's stream may be closed by a write of an interrupted thread.
            Thread.currentThread().interrupt();
        }
        if (status != 0) {
            throw new CommandExit(status, run.untraced);
        }
    }

    private int run(String... arguments) {
        try {
            if (line.parseArgs(arguments).isUsageHelpRequested()) {
                line.usage(console.out());
                return 0;
            }
        } catch (ParameterException e) {
            // Where the parser gave up, it may not have come to the option yet.
            List<String> typed = List.of(arguments);
            return misused(new Misreading(line, typed).sentence(e), e, typed.contains(JSON));
        }
        return call();
    }

    // The one place where a failed command is handled, whatever it failed with.
    private int call() {
        try {
            return print(command.call(console));
        } catch (UsageException e) {
            return misused(e.getMessage(), e, command.isJson());
        } catch (Exception | LinkageError e) {
            return failed(e);
        }
    }

    private int print(CommandResult result) {
        print(result.document(), result.text());
        result.complaints().forEach(this::complain);
        return result.complaints().isEmpty() ? 0 : CommandExit.FAILED;
    }

    private int failed(Throwable error) {
        interrupted |= error instanceof InterruptedException;
        JsonObject document = command.failedDocument();
        document.add("error", Errors.document(error));
        print(document, "");
        Errors.sentences(error).forEach(this::complain);
        trace(error);
        return CommandExit.FAILED;
    }

    private int misused(String sentence, Throwable error, boolean json) {
        if (json) {
            JsonObject document = command.failedDocument();
            document.add("error", Errors.usage(decapitalized(sentence)));
            console.out().println(Json.print(document));
        }
        complain(decapitalized(sentence) + " (usage: " + line.getCommandName() + " --help)");
        trace(error);
        return CommandExit.USAGE;
    }

    private void print(JsonObject document, String text) {
        // Whoever was interrupted in a file has the flag still set.
        interrupted |= Thread.interrupted();
        if (command.isJson()) {
            console.out().println(Json.print(document));
        } else if (!text.isEmpty()) {
            console.out().print(text.endsWith("\n") ? text : text + "\n");
        }
        console.out().flush();
    }

    private void complain(String sentence) {
        console.err().println(PROGRAM + ": " + sentence);
    }

    private void trace(Throwable error) {
        if (command.isDebug()) {
            error.printStackTrace(console.err());
        } else {
            untraced = error;
        }
    }

    // A sentence of the option parser goes on after "ferry: "; the name of a parameter stays as it is.
    private static String decapitalized(String sentence) {
        boolean word = sentence.length() > 1 && Character.isLowerCase(sentence.charAt(1));
        return word ? sentence.substring(0, 1).toLowerCase(Locale.ROOT) + sentence.substring(1) : sentence;
    }
}
