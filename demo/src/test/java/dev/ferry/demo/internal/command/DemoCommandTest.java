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
}
