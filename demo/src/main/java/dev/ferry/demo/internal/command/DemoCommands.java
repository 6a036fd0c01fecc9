// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.command;

import dev.ferry.cli.CommandRun;
import dev.ferry.configuration.ConfigurationOutcome;
import dev.ferry.emulator.control.EmulatedAdapter;
import dev.ferry.migration.MigrationService;
import java.util.List;
import java.util.Optional;
import org.osgi.service.cm.ConfigurationAdmin;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Deactivate;
import org.osgi.service.component.annotations.FieldOption;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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

    private static final Logger LOG = LoggerFactory.getLogger(DemoCommands.class);
    private static final long STOP_SECONDS = 15;

    private final MigrationService service;
    private final OneAtATime oneAtATime = new OneAtATime();

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY,
            fieldOption = FieldOption.REPLACE)
    private volatile List<EmulatedAdapter> adapters = List.of();

    @Reference(
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY,
            fieldOption = FieldOption.REPLACE)
    private volatile List<ConfigurationOutcome> outcomes = List.of();

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile ConfigurationAdmin configurations;

    /** Migrations are made by the service. */
    @Activate
    public DemoCommands(@Reference MigrationService service) {
        this.service = service;
    }

    /** Ends a demonstration that runs; what it used is put back, within a bounded time. */
    @Deactivate
    void deactivate() {
        if (!oneAtATime.close(STOP_SECONDS)) {
            LOG.warn("A demo still runs {} s after it was asked to end; its guests and threads remain.", STOP_SECONDS);
        }
    }

    /** One live migration under traffic. */
    public void demo(String... arguments) {
        DemoServices services = new DemoServices(service, () -> List.copyOf(adapters), () -> List.copyOf(outcomes),
                Optional.ofNullable(configurations), oneAtATime);
        CommandRun.of(new DemoCommand(services), arguments);
    }
}
