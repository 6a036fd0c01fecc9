// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;

/**
 * What stands on the command line of the application itself. Immutable.
 *
 * @param help whether the help of the command is asked for, or, where there is none, the list of commands
 * @param version whether the version is asked for
 * @param debug whether stack traces of errors are asked for
 * @param script the text after {@code -c}
 * @param configuration file with the configuration to use instead of the default one
 * @param bundles files of bundles to start beside those of the application, in their order
 * @param command name and arguments of the one command to run; empty for none
 */
record CommandLineOptions(
        boolean help,
        boolean version,
        boolean debug,
        Optional<String> script,
        Optional<Path> configuration,
        List<Path> bundles,
        List<String> command) {

    /** Stands where the name of a command would, and before it. */
    private static final String HELP = "help";

    /** The command line is not as it must be; the message says why. */
    static final class Misuse extends Exception {
        private static final long serialVersionUID = 1L;

        Misuse(String message) {
            super(message);
        }
    }

    /** Copies the lists. */
    CommandLineOptions {
        bundles = List.copyOf(bundles);
        command = List.copyOf(command);
    }

    /** Reads a command line. Options of the application stand before the name of the command. */
    static CommandLineOptions parse(List<String> arguments) throws Misuse {
        boolean help = false;
        boolean version = false;
        boolean debug = false;
        Optional<String> script = Optional.empty();
        Optional<Path> configuration = Optional.empty();
        List<Path> bundles = new ArrayList<>();
        int at = 0;
        for (; at < arguments.size() && arguments.get(at).startsWith("-"); at++) {
            switch (arguments.get(at)) {
                case "-h", "--help" -> help = true;
                case "--version" -> version = true;
                case "--debug" -> debug = true;
                case "-c" -> {
                    once(script, "-c");
                    script = Optional.of(value(arguments, ++at, "-c", "\"CMD; CMD\""));
                }
                case "--config" -> {
                    once(configuration, "--config");
                    configuration = Optional.of(Path.of(value(arguments, ++at, "--config", "FILE")));
                }
                case "--bundle" -> bundles.add(Path.of(value(arguments, ++at, "--bundle", "FILE")));
                default -> throw new Misuse(
                        "unknown option: '" + arguments.get(at) + "'; options of a command follow its name");
            }
        }
        List<String> command = arguments.subList(at, arguments.size());
        if (!command.isEmpty() && command.get(0).equals(HELP)) {
            help = true;
            command = command.subList(1, command.size());
        }
        if (script.isPresent() && !command.isEmpty()) {
            throw new Misuse("-c takes one argument; put the commands between quotes");
        }
        return new CommandLineOptions(help, version, debug, script, configuration, bundles, command);
    }

    private static void once(Optional<?> before, String option) throws Misuse {
        if (before.isPresent()) {
            throw new Misuse(option + " is given more than once; " + (option.equals("-c")
                    ? "put all commands into one: -c \"CMD; CMD\""
                    : "name one file"));
        }
    }

    private static String value(List<String> arguments, int at, String option, String what) throws Misuse {
        if (at >= arguments.size()) {
            throw new Misuse(option + " needs a value: " + option + " " + what);
        }
        if (arguments.get(at).isEmpty()) {
            throw new Misuse("the value of " + option + " is empty: " + option + " " + what);
        }
        return arguments.get(at);
    }
}
