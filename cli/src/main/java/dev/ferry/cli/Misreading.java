// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import java.io.PrintWriter;
import java.io.StringWriter;
import java.util.List;
import java.util.Locale;
import picocli.CommandLine;
import picocli.CommandLine.MissingParameterException;
import picocli.CommandLine.ParameterException;
import picocli.CommandLine.TypeConversionException;
import picocli.CommandLine.UnmatchedArgumentException;

/** Why the option parser gave up, told as the user's mistake and not as where the parser noticed it. */
final class Misreading {

    private static final String OPTION = "--";

    private final CommandLine line;
    private final List<String> arguments;

    Misreading(CommandLine line, List<String> arguments) {
        this.line = line;
        this.arguments = arguments;
    }

    /** Numbers are read like this, as the parser's own complaint names a type of the language. */
    static int wholeNumber(String text) {
        try {
            return Integer.parseInt(text);
        } catch (NumberFormatException e) {
            throw new TypeConversionException(
                    "'%s' is not a whole number of at most %d".formatted(text, Integer.MAX_VALUE));
        }
    }

    /** One sentence, with what may have been meant. */
    String sentence(ParameterException error) {
        ParameterException told = cause(error);
        return told.getMessage() + suggestion(told) + joined();
    }

    // Where arguments are missing, too, the parser says nothing of an option that it does not know.
    private ParameterException cause(ParameterException error) {
        List<String> unknown = arguments.stream()
                .takeWhile(argument -> !argument.equals(OPTION))
                .filter(this::isUnknown)
                .toList();
        return error instanceof MissingParameterException && !unknown.isEmpty()
                ? new UnmatchedArgumentException(line, unknown)
                : error;
    }

    private boolean isUnknown(String argument) {
        return argument.startsWith(OPTION)
                && line.getCommandSpec().findOption(argument.split("=", 2)[0]) == null;
    }

    private static String suggestion(ParameterException error) {
        StringWriter suggestions = new StringWriter();
        UnmatchedArgumentException.printSuggestions(error, new PrintWriter(suggestions, true));
        String text = suggestions.toString().strip();
        return text.isEmpty() ? "" : "; " + text.substring(0, 1).toLowerCase(Locale.ROOT) + text.substring(1);
    }

    /** A number and its unit that a blank made two arguments. */
    private String joined() {
        for (int i = 1; i < arguments.size(); i++) {
            if (Quantities.isTornApart(arguments.get(i - 1), arguments.get(i))) {
                return "; write a number and its unit as one word, " + arguments.get(i - 1) + arguments.get(i);
            }
        }
        return "";
    }
}
