// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonArray;
import com.google.gson.JsonObject;
import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.FerryCommand;
import dev.ferry.cli.UsageException;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.migration.DeviceDescription;
import dev.ferry.migration.FailureCode;
import dev.ferry.migration.MigrationService;
import dev.ferry.migration.StateChange;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows or sets the state of one device. */
@Command(name = "state", description = StateCommand.SUMMARY)
final class StateCommand extends FerryCommand {

    static final String SUMMARY = "Show or set the device state; prints the arcs taken.";

    private final Service<MigrationService> migrations;

    @Parameters(index = "0", paramLabel = "DEVICE", description = "Id of the device.")
    private String device;

    @Parameters(
            index = "1",
            paramLabel = "NEW-STATE",
            arity = "0..1",
            description = "The state to go to, for example STOP_COPY.")
    private String newState;

    @Option(
            names = "--reset",
            description = "Reset the device: RUNNING from any state, also from ERROR; what it holds is lost.")
    private boolean reset;

    StateCommand(Service<MigrationService> migrations) {
        this.migrations = migrations;
    }

    @Override
    protected CommandResult call(Console console) throws Exception {
        Names.requireDevice(device);
        if (reset) {
            if (newState != null) {
                throw new UsageException("--reset leads to RUNNING and takes no NEW-STATE");
            }
            return changed(migrations.get().reset(device));
        }
        if (newState == null) {
            return show(migrations.get());
        }
        DeviceState wanted = StateNames.parse(newState);
        return changed(migrations.get().setState(device, wanted));
    }

    private CommandResult show(MigrationService service) throws CommandFailedException {
        DeviceDescription description = service.device(device)
                .orElseThrow(() -> new CommandFailedException(
                        FailureCode.DEVICE_NOT_FOUND,
                        "there is no device " + device + "; `ferry devices` lists those there are"));
        DeviceState state = description.state()
                .orElseThrow(() -> new CommandFailedException(
                        FailureCode.DEVICE_FAILED,
                        "the device " + device + " does not report its state" + why(description)));
        JsonObject document = new JsonObject();
        document.addProperty("device", device);
        document.addProperty("state", state.name());
        return CommandResult.done(document, state.name());
    }

    private static String why(DeviceDescription description) {
        return description.notMigratable()
                .map(reason -> ": " + reason)
                .orElse(description.owner().isPresent() ? "; is its owner device still there?" : "");
    }

    private static CommandResult changed(StateChange change) {
        JsonArray arcs = new JsonArray();
        StringBuilder text = new StringBuilder();
        for (Arc arc : change.arcs()) {
            JsonObject taken = new JsonObject();
            taken.addProperty("from", arc.from().name());
            taken.addProperty("to", arc.to().name());
            arcs.add(taken);
            text.append(arc.from()).append(" -> ").append(arc.to()).append('\n');
        }
        JsonObject document = new JsonObject();
        document.addProperty("device", change.device());
        document.addProperty("from", change.from().name());
        document.add("arcs", arcs);
        document.addProperty("state", change.to().name());
        if (change.arcs().isEmpty()) {
            text.append(change.to())
                    .append(change.from() == change.to() ? ": no arc taken" : ": the device was reset, no arc taken");
        }
        return CommandResult.done(document, text.toString());
    }
}
