// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.CommandRun;
import dev.ferry.fsm.TransitionTable;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** The command transitions, which needs no device. Thread-safe. */
@Component(
        service = TransitionsCommands.class,
        property = {
            "osgi.command.scope=ferry",
            "osgi.command.function=transitions",
            "ferry.command.summary=transitions:" + TransitionsCommand.SUMMARY
        })
public final class TransitionsCommands {

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile TransitionTable table;

    /** Command {@code transitions}. */
    public void transitions(String... arguments) {
        CommandRun.of(new TransitionsCommand(this::table), arguments);
    }

    private TransitionTable table() throws CommandFailedException {
        return Missing.unlessThere(table, "transition table", "dev.ferry.fsm.core");
    }
}
