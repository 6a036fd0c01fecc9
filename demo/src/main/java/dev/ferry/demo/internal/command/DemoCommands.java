// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import dev.ferry.cli.CommandRun;
import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.migration.MigrationService;
import java.util.List;
import java.util.concurrent.Semaphore;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.FieldOption;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** The commands of this bundle for the shell. Thread-safe; demonstrations run one at a time. */
@Component(
        service = DemoCommands.class,
        property = {
            "osgi.command.scope=ferry",
            "osgi.command.function=demo",
            "ferry.command.summary=demo:" + DemoCommand.SUMMARY,
            "ferry.command.devices=demo"
        })
public final class DemoCommands {

    private final MigrationService service;
    // Two at once would choose the same VFs.
    private final Semaphore oneAtATime = new Semaphore(1);

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY,
            fieldOption = FieldOption.REPLACE)
    private volatile List<EmulatedAdapter> adapters = List.of();

    /** Migrations are made by the service. */
    @Activate
    public DemoCommands(@Reference MigrationService service) {
        this.service = service;
    }

    /** One live migration under traffic. */
    public void demo(String... arguments) {
        CommandRun.of(new DemoCommand(service, List.copyOf(adapters), oneAtATime), arguments);
    }
}
