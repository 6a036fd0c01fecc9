// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonObject;
import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.FerryCommand;
import dev.ferry.cli.UsageException;
import dev.ferry.device.MigrationDriver;
import dev.ferry.legacy.LegacyIo;
import dev.ferry.migration.FailureCode;
import java.util.List;
import java.util.Map;
import java.util.Set;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** One access to a device as a legacy guest makes it. */
@Command(
        name = "legacy",
        description = {
            LegacyCommand.SUMMARY,
            "BAR 0 answers once the I/O bit is on: legacy --config DEVICE 4 2 0x7. Numbers are decimal, 0x, or 0 octal."
        })
final class LegacyCommand extends FerryCommand {

    static final String SUMMARY = "Reads or writes the I/O BAR that a legacy guest sees, or configuration space.";

    /** What an access of a driver to these registers can have. */
    private static final Set<Integer> SIZES = Set.of(1, 2, 4);

    private final Service<List<Map.Entry<Map<String, Object>, LegacyIo>>> services;

    @Parameters(index = "0", paramLabel = "DEVICE", description = "Id of the device.")
    private String device;

    @Parameters(index = "1", paramLabel = "OFFSET", description = "First byte.")
    private String offset;

    @Parameters(index = "2", paramLabel = "SIZE", description = "Bytes: 1, 2 or 4.")
    private String size;

    @Parameters(index = "3", paramLabel = "VALUE", arity = "0..1", description = "What to write; read when left out.")
    private String value;

    @Option(names = "--config", description = "Configuration space instead of BAR 0.")
    private boolean config;

    LegacyCommand(Service<List<Map.Entry<Map<String, Object>, LegacyIo>>> services) {
        this.services = services;
    }

    @Override
    protected CommandResult call(Console console) throws Exception {
        Names.requireDevice(device);
        int from = number("OFFSET", offset, Integer.MAX_VALUE).intValue();
        int bytes = number("SIZE", size, Integer.MAX_VALUE).intValue();
        if (!SIZES.contains(bytes)) {
            throw new UsageException("SIZE is 1, 2 or 4, not " + size);
        }
        LegacyIo io = find();
        JsonObject document = new JsonObject();
        document.addProperty("device", device);
        document.addProperty("offset", from);
        document.addProperty("size", bytes);
        if (value == null) {
            long read = config ? io.readConfig(from, bytes) : io.readBar0(from, bytes);
            document.addProperty("value", read);
            return CommandResult.done(document, ("0x%0" + 2 * bytes + "x").formatted(read));
        }
        long written = number("VALUE", value, (1L << bytes * Byte.SIZE) - 1);
        if (config) {
            io.writeConfig(from, bytes, written);
        } else {
            io.writeBar0(from, bytes, written);
        }
        document.addProperty("value", written);
        return CommandResult.done(document, "");
    }

    private LegacyIo find() throws CommandFailedException {
        return services.get().stream()
                .filter(service -> device.equals(service.getKey().get(MigrationDriver.DEVICE_ID)))
                .findFirst()
                .map(Map.Entry::getValue)
                .orElseThrow(() -> new CommandFailedException(
                        FailureCode.DEVICE_NOT_FOUND,
                        "there is no device " + device + " with a legacy interface: `ferry devices`"
                                + " lists those there are, and the interface needs the bundle"
                                + " dev.ferry.virtio.legacy.io and an owner device with the commands for it"));
    }

    private static Long number(String what, String text, long most) throws UsageException {
        try {
            long number = Long.decode(text);
            if (number >= 0 && number <= most) {
                return number;
            }
        } catch (NumberFormatException e) {
            throw new UsageException("'%s' is not a number for %s".formatted(text, what));
        }
        throw new UsageException("%s must be 0 to %d, not %s".formatted(what, most, text));
    }
}
