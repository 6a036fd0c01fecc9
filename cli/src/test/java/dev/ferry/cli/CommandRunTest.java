// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationException;
import dev.ferry.migration.MigrationPhase;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.nio.channels.ClosedByInterruptException;
import java.nio.charset.StandardCharsets;
import java.nio.file.NoSuchFileException;
import java.util.List;
import java.util.Optional;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

class CommandRunTest {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    @FunctionalInterface
    interface Work {
        CommandResult call(String word) throws Exception;
    }

    @Command(name = "echo", description = "Says a word.")
    static final class Echo extends FerryCommand {
        private final Work work;

        @Parameters(paramLabel = "WORD", description = "What to say.")
        private String word;

        @Option(names = "--times", defaultValue = "1", description = "How often.")
        private int times;

        Echo(Work work) {
            this.work = work;
        }

        @Override
        protected CommandResult call(Console console) throws Exception {
            console.progress("saying it");
            return work.call(word);
        }
    }

    private int run(Work work, String... arguments) {
        Console console = new Console(
                new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
        try {
            CommandRun.of(new Echo(work), console, arguments);
            return 0;
        } catch (RuntimeException e) {
            // As a runner of commands reads it, which does not know the class of the exception.
            return ((IntSupplier) e).getAsInt();
        }
    }

    private String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    private String err() {
        return err.toString(StandardCharsets.UTF_8);
    }

    private static CommandResult said(String word) {
        JsonObject document = new JsonObject();
        document.addProperty("word", word);
        document.addProperty("answer", (String) null);
        return CommandResult.done(document, "said " + word);
    }

    @Test
    void shouldPrintTextAndProgressApartWhenDone() {
        assertThat(run(CommandRunTest::said, "hello")).isZero();
        assertThat(out()).isEqualTo("said hello\n");
        assertThat(err()).isEqualTo("saying it\n");
    }

    @Test
    void shouldPrintOneDocumentWithNullsWhenJsonIsAskedFor() {
        assertThat(run(CommandRunTest::said, "--json", "<hello>")).isZero();
        assertThat(out()).isEqualTo("{\n  \"word\": \"<hello>\",\n  \"answer\": null\n}\n");
    }

    @Test
    void shouldPassAnArgumentUnchangedWhenItHasSpecialCharacters() {
        for (String word : List.of("@file", "a b", "$x; |", "\"q\"", "${sys:user.dir}", "%n%s", "")) {
            out.reset();
            assertThat(run(CommandRunTest::said, word)).isZero();
            assertThat(out()).isEqualTo("said " + word + "\n");
        }
    }

    @Test
    void shouldPrintUsageWhenHelpIsAskedFor() {
        assertThat(run(CommandRunTest::said, "--help")).isZero();
        assertThat(out()).startsWith("Usage: ferry echo ").contains("Says a word.", "--json", "--debug", "WORD");
        assertThat(err()).isEmpty();
    }

    @Test
    void shouldExitWithTwoAndSuggestWhenAnOptionIsUnknown() {
        assertThat(run(CommandRunTest::said, "--jsn", "hello")).isEqualTo(2);
        assertThat(out()).isEmpty();
        assertThat(err()).isEqualTo(
                "ferry: unknown option: '--jsn'; possible solutions: --json (usage: ferry echo --help)\n");
    }

    @Test
    void shouldExitWithTwoWhenAnArgumentIsMissing() {
        assertThat(run(CommandRunTest::said)).isEqualTo(2);
        assertThat(err()).isEqualTo("ferry: missing required parameter: 'WORD' (usage: ferry echo --help)\n");
    }

    @Test
    void shouldNameTheUnknownOptionAlsoWhereAnArgumentIsMissing() {
        assertThat(run(CommandRunTest::said, "--jsn=x")).isEqualTo(2);
        assertThat(err()).isEqualTo(
                "ferry: unknown option: '--jsn=x'; possible solutions: --json (usage: ferry echo --help)\n");
    }

    @Test
    void shouldSayThatABlankStandsBetweenANumberAndItsUnit() {
        assertThat(run(CommandRunTest::said, "--times", "300", "ms", "x")).isEqualTo(2);
        assertThat(err()).isEqualTo("ferry: unmatched argument at index 3: 'x'; write a number and its unit as"
                + " one word, 300ms (usage: ferry echo --help)\n");
    }

    @ParameterizedTest
    @ValueSource(strings = {"x", "1.5", "2147483648", ""})
    void shouldSayWhatANumberIsWithoutATypeOfTheLanguage(String number) {
        assertThat(run(CommandRunTest::said, "--times", number, "x")).isEqualTo(2);
        assertThat(err()).isEqualTo("ferry: invalid value for option '--times': '" + number
                + "' is not a whole number of at most 2147483647 (usage: ferry echo --help)\n");
    }

    @Test
    void shouldExitWithTwoWhenTheCommandRefusesAnArgument() {
        assertThat(run(word -> { throw new UsageException("The word is too short."); }, "x")).isEqualTo(2);
        assertThat(err()).endsWith("ferry: the word is too short. (usage: ferry echo --help)\n");
    }

    @Test
    void shouldPrintTheResultAndExitWithOneWhenItFailed() {
        Work work = word -> CommandResult.failed(new JsonObject(), "half", "only half was said");
        assertThat(run(work, "x")).isEqualTo(1);
        assertThat(out()).isEqualTo("half\n");
        assertThat(err()).isEqualTo("saying it\nferry: only half was said\n");
    }

    @Test
    void shouldPrintOneSentenceWhenAnExceptionIsThrown() {
        assertThat(run(word -> { throw new NoSuchFileException("x.bin"); }, "x")).isEqualTo(1);
        assertThat(out()).isEmpty();
        assertThat(err()).isEqualTo("saying it\nferry: there is no file or folder x.bin\n");
    }

    @Test
    void shouldPrintTheStackTraceOnlyWhenDebugging() {
        Work work = word -> { throw new UncheckedIOException(new IOException("the disk is full")); };
        assertThat(run(work, "x", "--debug")).isEqualTo(1);
        assertThat(err()).contains("ferry: the disk is full\n", "\tat dev.ferry.cli.");
    }

    @Test
    void shouldHandTheErrorToTheShellWhenItsStackTraceWasNotPrinted() {
        Console nowhere = new Console(new PrintStream(out), new PrintStream(err));
        IOException full = new IOException("the disk is full");
        Work work = word -> { throw full; };
        assertThatThrownBy(() -> CommandRun.of(new Echo(work), nowhere, "x")).hasCause(full);
        assertThatThrownBy(() -> CommandRun.of(new Echo(work), nowhere, "x", "--debug")).hasNoCause();
    }

    @Test
    void shouldNameADefectWhenItIsUnexpected() {
        assertThat(run(word -> { throw new IllegalStateException("boo"); }, "x")).isEqualTo(1);
        assertThat(err()).contains("ferry: unexpected java.lang.IllegalStateException: boo; --debug shows where");
    }

    @Test
    void shouldPrintTheWholeFailureAsDocumentWhenJsonIsAskedFor() {
        Failure failure = new Failure(
                FailureCode.DEVICE_FAILED, Optional.of(MigrationPhase.LOAD), Optional.of("host2/pf0/vf1"),
                Optional.of(Errno.EIO), "the device is broken", List.of());
        assertThat(run(word -> { throw new MigrationException(failure); }, "--json", "x")).isEqualTo(1);
        assertThat(out()).isEqualTo("""
                {
                  "error": {
                    "code": "DEVICE_FAILED",
                    "phase": "LOAD",
                    "device": "host2/pf0/vf1",
                    "errno": "EIO",
                    "message": "the device is broken",
                    "following": []
                  }
                }
                """);
        assertThat(err()).endsWith("ferry: the device is broken\n");
    }

    @Test
    void shouldTellAllThatFailedAfterwardsEachOnALineOfItsOwn() {
        Failure last = Failure.of(FailureCode.GUEST_FAILED, "The guest is left paused.");
        Failure wayBack = new Failure(
                FailureCode.DEVICE_FAILED, Optional.of(MigrationPhase.LOAD), Optional.of("b"), Optional.empty(),
                "b: it could not be reset", List.of(last));
        Failure failure = new Failure(
                FailureCode.TIMEOUT, Optional.empty(), Optional.empty(), Optional.empty(), "It took too long.",
                List.of(wayBack, Failure.of(FailureCode.DEVICE_FAILED, "a", "a: it is broken")));
        List<String> lines = List.of("saying it", "ferry: it took too long.", "ferry: also: b: it could not be reset",
                "ferry: also: the guest is left paused.", "ferry: also: a: it is broken");

        assertThat(run(word -> { throw new MigrationException(failure); }, "--json", "x")).isEqualTo(1);

        assertThat(err().lines()).containsExactlyElementsOf(lines);
        JsonArray following = JsonParser.parseString(out()).getAsJsonObject().getAsJsonObject("error")
                .getAsJsonArray("following");
        assertThat(following).extracting(each -> each.getAsJsonObject().get("message").getAsString())
                .containsExactly("b: it could not be reset", "The guest is left paused.", "a: it is broken");
        assertThat(following.get(0).getAsJsonObject().keySet())
                .containsExactly("code", "phase", "device", "errno", "message");

        err.reset();
        assertThat(run(word -> CommandResult.failed(new JsonObject(), "", failure), "x")).isEqualTo(1);
        assertThat(err().lines()).containsExactlyElementsOf(lines);
    }

    @Test
    void shouldTellWhatFailedOnTheWayBackOfWhatWasInterrupted() {
        Failure failure = new Failure(
                FailureCode.IO_FAILED, Optional.empty(), Optional.of("a"), Optional.empty(),
                "The saved state cannot be read.",
                List.of(Failure.of(FailureCode.DEVICE_FAILED, "a", "a: it is lost")));
        Work work = word -> { throw new MigrationException(failure, new ClosedByInterruptException()); };
        assertThat(run(work, "--json", "x")).isEqualTo(1);
        assertThat(err()).endsWith("\nferry: interrupted before it was done\nferry: also: a: it is lost\n");
        assertThat(out()).contains("\"code\": \"CANCELLED\"", "\"device\": \"a\"", "\"message\": \"a: it is lost\"");
    }

    @Test
    void shouldPrintBeforeTheThreadIsInterruptedAgain() {
        PrintStream watched = new PrintStream(out) {
            @Override
            public void println(String line) {
                assertThat(Thread.currentThread().isInterrupted()).as("it closes what it writes to").isFalse();
                super.println(line);
            }
        };
        Work work = word -> {
            Thread.currentThread().interrupt();
            throw new ClosedByInterruptException();
        };
        assertThatThrownBy(() -> CommandRun.of(new Echo(work), new Console(watched, watched), "x", "--json"))
                .isInstanceOf(CommandExit.class);
        assertThat(Thread.interrupted()).isTrue();
        assertThatThrownBy(() -> CommandRun.of(
                        new Echo(word -> { throw new InterruptedException(); }),
                        new Console(watched, watched), "x", "--json"))
                .isInstanceOf(CommandExit.class);
        assertThat(Thread.interrupted()).isTrue();
    }

    @Test
    void shouldNameTheErrnoWhenADeviceFails() {
        assertThat(run(word -> { throw new DeviceException(Errno.ENODEV, "the owner is gone"); }, "x")).isEqualTo(1);
        assertThat(err()).endsWith("ferry: the owner is gone (ENODEV)\n");
    }

    @Test
    void shouldPrintADocumentAsWellWhenTheParserGivesUpAndJsonIsAskedFor() {
        assertThat(run(CommandRunTest::said, "--bogus=1", "--json")).isEqualTo(2);
        assertThat(out()).contains("\"code\": \"USAGE\"", "\"errno\": null", "\"message\": \"");
        assertThat(err()).startsWith("ferry: ").contains("(usage: ferry echo --help)");
    }
}
