// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.CommandRun;
import dev.ferry.cli.Console;
import dev.ferry.cli.FerryCommand;
import java.io.ByteArrayOutputStream;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.function.IntSupplier;

/** Runs one command as a shell does, and keeps what it printed. */
final class CommandFixture {

    private final ByteArrayOutputStream out = new ByteArrayOutputStream();
    private final ByteArrayOutputStream err = new ByteArrayOutputStream();

    int run(FerryCommand command, String... arguments) {
        out.reset();
        err.reset();
        Console console = new Console(
                new PrintStream(out, true, StandardCharsets.UTF_8), new PrintStream(err, true, StandardCharsets.UTF_8));
        try {
            CommandRun.of(command, console, arguments);
            return 0;
        } catch (RuntimeException e) {
            return ((IntSupplier) e).getAsInt();
        }
    }

    String out() {
        return out.toString(StandardCharsets.UTF_8);
    }

    String err() {
        return err.toString(StandardCharsets.UTF_8);
    }
}
