// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.google.gson.JsonObject;
import com.google.gson.JsonParser;
import dev.ferry.cli.CommandRun;
import dev.ferry.cli.Console;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class DemoCommandTest {

    @Test
    void shouldPrintAResultWhenTheCaptureIsBroken(@TempDir Path folder) throws Exception {
        Path broken = Files.writeString(folder.resolve("broken.pcap"), "this is no capture file at all");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Console console = new Console(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8));

        assertThatThrownBy(() -> CommandRun.of(
                        new DemoCommand(null, List.of(), new OneAtATime()), console,
                        "--json", "--pcap", broken.toString()))
                .isInstanceOf(IntSupplier.class);
        JsonObject document = JsonParser.parseString(out.toString(StandardCharsets.UTF_8)).getAsJsonObject();
        assertThat(document.get("result").getAsString()).isEqualTo("FAILED");
        assertThat(document.getAsJsonObject("error").get("message").getAsString()).isNotBlank();
    }

    @ParameterizedTest
    @ValueSource(strings = {"--pcap", "--out"})
    void shouldSayThatAFileNameIsEmpty(String option) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console = new Console(
                new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));

        assertThatThrownBy(() -> CommandRun.of(
                        new DemoCommand(null, List.of(), new OneAtATime()), console, option, ""))
                .isInstanceOfSatisfying(IntSupplier.class, exit -> assertThat(exit.getAsInt()).isEqualTo(2));
        assertThat(err.toString(StandardCharsets.UTF_8))
                .startsWith("ferry: the file name of " + option + " is empty");
    }
}
