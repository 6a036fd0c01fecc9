// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationPhase;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.file.AccessDeniedException;
import java.nio.file.FileSystemException;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Objects;
import java.util.Optional;
import java.util.regex.Pattern;
import java.util.stream.Stream;

/** Turns what commands fail with into one sentence for people and one JSON object for scripts. */
public final class Errors {

    private static final String DEVICES = "`ferry devices`";
    private static final String LISTED = DEVICES + " lists those there are";

    /** What the service advises, which knows of no command. */
    private static final String LIST_THEM = "list the devices there are";

    /** What else the service advises, and by which options it is done. */
    private static final Map<String, String> OPTIONS = Map.of(
            "allow more downtime or bandwidth",
            "allow more downtime (--max-downtime, --ramp-limit) or bandwidth (--bandwidth)",
            "let it switch over when it stalls",
            "let it switch over when it stalls (--on-stall switchover)",
            "allow more time without progress",
            "allow more time without progress (--progress-timeout)",
            "ms allowed: give it more time, or",
            "ms allowed: give it more time (--timeout), or");

    /** A word of language and not a name, which goes on with a digit, a colon or a capital letter. */
    private static final Pattern FIRST_WORD = Pattern.compile("[A-Z][a-z]* ");

    private static final String INTERRUPTED = "interrupted before it was done";

    private Errors() {}

    /** All there is to say of an error, a line each: its sentence, and what else failed, as on the way back. */
    public static List<String> sentences(Throwable error) {
        // Whoever ends the process has one line for it, so it says all by itself.
        return error instanceof MigrationInterruptedException
                ? List.of(sentence(error))
                : sentences(sentence(error), failure(error).following());
    }

    /** The same for a failure that was reported. */
    public static List<String> sentences(Failure failure) {
        return sentences(sentence(failure), failure.following());
    }

    /** The same with a first sentence of the caller's. */
    public static List<String> sentences(String first, List<Failure> following) {
        return Stream.concat(Stream.of(first), all(following).map(each -> "also: " + sentence(each))).toList();
    }

    /** Each failure with those that follow it, in their order. */
    private static Stream<Failure> all(List<Failure> failures) {
        return failures.stream().flatMap(each -> Stream.concat(Stream.of(each), all(each.following())));
    }

    /** One sentence: what, where, what to do. */
    public static String sentence(Throwable error) {
        if (isInterruptedIo(error)) {
            return INTERRUPTED;
        }
        if (error instanceof MigrationException migration) {
            return sentence(migration.failure());
        }
        if (error instanceof CommandFailedException) {
            return error.getMessage();
        }
        if (error instanceof UncheckedIOException unchecked) {
            return sentence(unchecked.getCause());
        }
        if (error instanceof DeviceException device) {
            return device.getMessage() + " (" + device.errno() + ")";
        }
        if (error instanceof FileSystemException file) {
            return ofFile(file);
        }
        if (error instanceof IOException && error.getMessage() != null) {
            return error.getMessage();
        }
        if (error instanceof MigrationInterruptedException) {
            return error.getMessage();
        }
        if (error instanceof InterruptedException) {
            return INTERRUPTED;
        }
        return "unexpected " + error + "; --debug shows where, please report it";
    }

    /** The same for a failure that was reported; goes on after {@code ferry: }, so it begins without a capital. */
    public static String sentence(Failure failure) {
        String message = failure.message();
        String sentence = FIRST_WORD.matcher(message).lookingAt()
                ? message.substring(0, 1).toLowerCase(Locale.ROOT) + message.substring(1)
                : message;
        for (Map.Entry<String, String> advice : OPTIONS.entrySet()) {
            sentence = sentence.replace(advice.getKey(), advice.getValue());
        }
        if (failure.code() != FailureCode.DEVICE_NOT_FOUND || message.contains(DEVICES)) {
            return sentence;
        }
        return message.contains(LIST_THEM)
                ? withCommand(sentence)
                : sentence.replaceFirst("\\.$", "") + "; " + LISTED;
    }

    /** A sentence of the service with the command that does what it advises. */
    public static String withCommand(String sentence) {
        return sentence.replace(LIST_THEM + ", and ", LISTED + "; where it is missing, ").replace(LIST_THEM, LISTED);
    }

    /**
     * The keys {@code code}, {@code phase}, {@code device}, {@code errno} and {@code message}, null where unknown; and
     * {@code following}, what else failed, an array of documents with these five.
     */
    public static JsonObject document(Throwable error) {
        return document(failure(error));
    }

    private static Failure failure(Throwable error) {
        Failure failure = reported(error);
        return isInterruptedIo(error)
                ? new Failure(
                        FailureCode.CANCELLED, failure.phase(), failure.device(), failure.errno(), INTERRUPTED,
                        failure.following())
                : failure;
    }

    /** A file does not fail because its reader or writer is interrupted: it is closed, and says no more than that. */
    private static boolean isInterruptedIo(Throwable error) {
        return Stream.iterate(error, Objects::nonNull, Throwable::getCause)
                .anyMatch(ClosedByInterruptException.class::isInstance);
    }

    private static Failure reported(Throwable error) {
        if (error instanceof MigrationException migration) {
            return migration.failure();
        }
        if (error instanceof MigrationInterruptedException interrupted) {
            return interrupted.failure();
        }
        Throwable cause = error instanceof UncheckedIOException ? error.getCause() : error;
        FailureCode code = codeOf(cause);
        Optional<Errno> errno =
                cause instanceof DeviceException device ? Optional.of(device.errno()) : Optional.empty();
        return new Failure(code, Optional.empty(), Optional.empty(), errno, sentence(cause), List.of());
    }

    /** The same keys for a command that was not called as it must be: the code is {@code USAGE}. */
    public static JsonObject usage(String message) {
        JsonObject document = document(Failure.of(FailureCode.INTERNAL, message));
        document.addProperty("code", "USAGE");
        return document;
    }

    /** The same keys for a failure that was reported. */
    public static JsonObject document(Failure failure) {
        JsonObject document = alone(failure);
        JsonArray following = new JsonArray();
        all(failure.following()).map(Errors::alone).forEach(following::add);
        document.add("following", following);
        return document;
    }

    private static JsonObject alone(Failure failure) {
        JsonObject document = new JsonObject();
        document.addProperty("code", failure.code().name());
        document.addProperty("phase", failure.phase().map(MigrationPhase::name).orElse(null));
        document.addProperty("device", failure.device().orElse(null));
        document.addProperty("errno", failure.errno().map(Errno::name).orElse(null));
        document.addProperty("message", failure.message());
        return document;
    }

    private static FailureCode codeOf(Throwable error) {
        if (error instanceof CommandFailedException failed) {
            return failed.code();
        }
        if (error instanceof DeviceException) {
            return FailureCode.DEVICE_FAILED;
        }
        if (error instanceof IOException) {
            return FailureCode.IO_FAILED;
        }
        return error instanceof InterruptedException ? FailureCode.CANCELLED : FailureCode.INTERNAL;
    }

    private static String ofFile(FileSystemException error) {
        if (error instanceof NoSuchFileException) {
            // Who looked for a folder says so, and what to do.
            return error.getReason() == null ? "there is no file or folder " + error.getFile() : error.getReason();
        }
        if (error instanceof AccessDeniedException) {
            return "no permission for " + error.getFile();
        }
        return error.getReason() == null
                ? "cannot use " + error.getFile() + ": " + error.getClass().getSimpleName()
                : "cannot use " + error.getFile() + ": " + error.getReason();
    }
}
