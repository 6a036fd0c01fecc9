// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.CommandRun;
import dev.ferry.legacy.LegacyIo;
import java.util.List;
import java.util.Map;
import org.osgi.service.component.annotations.CollectionType;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** The command over legacy interfaces. Thread-safe. */
@Component(
        service = LegacyCommands.class,
        property = {
            "osgi.command.scope=ferry",
            "osgi.command.function=legacy",
            "ferry.command.summary=legacy:" + LegacyCommand.SUMMARY,
            "ferry.command.devices=legacy"
        })
public final class LegacyCommands {

    @Reference(
            service = LegacyIo.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY,
            collectionType = CollectionType.TUPLE)
    private volatile List<Map.Entry<Map<String, Object>, LegacyIo>> services = List.of();

    /** Command {@code legacy}. */
    public void legacy(String... arguments) {
        CommandRun.of(new LegacyCommand(() -> services), arguments);
    }
}
