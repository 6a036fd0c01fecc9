// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import com.google.gson.JsonArray;
import com.google.gson.JsonNull;
import com.google.gson.JsonObject;
import dev.ferry.cli.CommandResult;
import dev.ferry.cli.Console;
import dev.ferry.cli.Errors;
import dev.ferry.cli.FerryCommand;
import dev.ferry.cli.Json;
import dev.ferry.cli.TextTable;
import dev.ferry.cli.UsageException;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.TransitionTable;
import dev.ferry.migration.Failure;
import dev.ferry.migration.FailureCode;
import java.util.ArrayList;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import java.util.stream.Collectors;
import picocli.CommandLine.Command;
import picocli.CommandLine.Option;
import picocli.CommandLine.Parameters;

/** Shows the next-state matrix, or the path between two states. */
@Command(name = "transitions", description = TransitionsCommand.SUMMARY)
final class TransitionsCommand extends FerryCommand {

    static final String SUMMARY = "The next-state matrix, or one path; refused pairs say why.";

    private static final String REFUSED = "-";

    private final Service<TransitionTable> tables;

    @Parameters(index = "0", paramLabel = "FROM", arity = "0..1", description = "The state a device is in.")
    private String from;

    @Parameters(index = "1", paramLabel = "TO", arity = "0..1", description = "The state asked for.")
    private String to;

    @Option(
            names = "--features",
            paramLabel = "FEATURE",
            split = ",",
            defaultValue = "stop-copy,p2p,pre-copy",
            description = "What the device can do; default: ${DEFAULT-VALUE}.")
    private List<String> features;

    TransitionsCommand(Service<TransitionTable> tables) {
        this.tables = tables;
    }

    @Override
    protected CommandResult call(Console console) throws Exception {
        Set<MigrationFeature> set = FeatureNames.parse(features);
        JsonObject document = new JsonObject();
        document.add("features", Json.names(set));
        if (from == null) {
            return matrix(tables.get(), set, document);
        }
        DeviceState start = StateNames.parse(from);
        if (to == null) {
            throw new UsageException("a path needs two states, FROM and TO");
        }
        return path(tables.get(), set, document, start, StateNames.parse(to));
    }

    private static CommandResult matrix(TransitionTable table, Set<MigrationFeature> features, JsonObject document) {
        List<String> headings = new ArrayList<>(List.of("FROM \\ TO"));
        for (DeviceState state : DeviceState.values()) {
            headings.add(state.name());
        }
        TextTable text = new TextTable(headings.toArray(String[]::new));
        JsonObject rows = new JsonObject();
        for (DeviceState start : DeviceState.values()) {
            JsonObject row = new JsonObject();
            List<String> cells = new ArrayList<>(List.of(start.name()));
            for (DeviceState end : DeviceState.values()) {
                Optional<String> next = table.next(features, start, end).map(DeviceState::name);
                row.addProperty(end.name(), next.orElse(null));
                cells.add(next.orElse(REFUSED));
            }
            rows.add(start.name(), row);
            text.row(cells.toArray(String[]::new));
        }
        document.add("next", rows);
        return CommandResult.done(document, """
                Next state on the way from a state (line) to a state (column), for a device with %s;
                %s is refused, and `transitions FROM TO` says why.

                %s""".formatted(FeatureNames.join(features), REFUSED, text));
    }

    private static CommandResult path(
            TransitionTable table,
            Set<MigrationFeature> features,
            JsonObject document,
            DeviceState start,
            DeviceState end) {
        document.addProperty("from", start.name());
        document.addProperty("to", end.name());
        Optional<String> refusal = table.refusal(features, start, end);
        if (refusal.isPresent()) {
            document.add("path", JsonNull.INSTANCE);
            Failure failure = Failure.of(FailureCode.TRANSITION_REFUSED, refusal.get());
            document.add("error", Errors.document(failure));
            return CommandResult.failed(document, "", Errors.sentence(failure));
        }
        List<DeviceState> states = new ArrayList<>(List.of(start));
        for (Arc arc : table.path(features, start, end)) {
            states.add(arc.to());
        }
        JsonArray path = Json.names(states);
        document.add("path", path);
        return CommandResult.done(
                document, states.stream().map(DeviceState::name).collect(Collectors.joining(" -> ")));
    }
}
