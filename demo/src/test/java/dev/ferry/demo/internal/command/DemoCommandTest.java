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
import java.util.Optional;
import java.util.function.IntSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

class DemoCommandTest {

    private static final DemoServices SERVICES =
            new DemoServices(null, List::of, List::of, Optional.empty(), new OneAtATime());

    @Test
    void shouldPrintAResultWhenTheCaptureIsBroken(@TempDir Path folder) throws Exception {
        Path broken = Files.writeString(folder.resolve("broken.pcap"), "this is no capture file at all");
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        Console console = new Console(
                new PrintStream(out, true, StandardCharsets.UTF_8),
                new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8));

        assertThatThrownBy(() -> CommandRun.of(
                        new DemoCommand(SERVICES), console,
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
                        new DemoCommand(SERVICES), console, option, ""))
                .isInstanceOfSatisfying(IntSupplier.class, exit -> assertThat(exit.getAsInt()).isEqualTo(2));
        assertThat(err.toString(StandardCharsets.UTF_8))
                .startsWith("ferry: the file name of " + option + " is empty");
    }

    @ParameterizedTest
    @CsvSource(delimiter = '|', value = {
        "--vfs 0 | --vfs takes 1 to 16, not 0",
        "--vfs 17 | --vfs takes 1 to 16, not 17",
        "--vfs 2 --out x | --out records the frames of one VF, and --vfs asks for 2",
        "--bandwidth 5M | invalid value for option '--bandwidth': '5M' has the unit 'M', which is not clear",
        "--ramp-limit 200ms | --ramp-limit takes no less than the downtime allowed to begin with, 300 ms, not 200 ms",
        "--ramp-limit 1 | invalid value for option '--ramp-limit': '1' is not a number with one of the units",
        "--on-stall give-up | invalid value for option '--on-stall': 'give-up' is neither fail nor switchover",
        "--max-downtime 300 | invalid value for option '--max-downtime': '300' is not a number with one of the units",
        "--writes 1kB/s | --writes takes 5 kB/s to 4096 MB/s for each VF, not '1kB/s'",
    })
    void shouldRefuseOptionsThatCannotBeMeant(String arguments, String why) {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console = new Console(
                new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));

        assertThatThrownBy(() -> CommandRun.of(new DemoCommand(SERVICES), console, arguments.split(" ")))
                .isInstanceOfSatisfying(IntSupplier.class, exit -> assertThat(exit.getAsInt()).isEqualTo(2));
        assertThat(err.toString(StandardCharsets.UTF_8)).startsWith("ferry: " + why);
    }

    @Test
    void shouldSayThatItCannotMakeHostsWithoutConfigurationAdmin() {
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Console console = new Console(
                new PrintStream(new ByteArrayOutputStream(), true, StandardCharsets.UTF_8),
                new PrintStream(err, true, StandardCharsets.UTF_8));

        assertThatThrownBy(() -> CommandRun.of(new DemoCommand(SERVICES), console, "--latency", "none"))
                .isInstanceOfSatisfying(IntSupplier.class, exit -> assertThat(exit.getAsInt()).isEqualTo(1));
        assertThat(err.toString(StandardCharsets.UTF_8)).contains("the demo needs Configuration Admin");
    }
}
