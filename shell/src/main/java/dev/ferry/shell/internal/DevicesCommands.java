// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.cli.CommandRun;
import dev.ferry.device.MigrationDriver;
import dev.ferry.migration.MigrationService;
import dev.ferry.virtio.AdminQueue;
import java.util.List;
import java.util.Map;
import org.osgi.service.component.annotations.CollectionType;
import org.osgi.service.component.annotations.Component;
import org.osgi.service.component.annotations.Reference;
import org.osgi.service.component.annotations.ReferenceCardinality;
import org.osgi.service.component.annotations.ReferencePolicy;
import org.osgi.service.component.annotations.ReferencePolicyOption;

/** The commands that look at owner devices: devices and admin. Thread-safe. */
@Component(
        service = DevicesCommands.class,
        property = {
            "osgi.command.scope=ferry",
            "osgi.command.function=devices",
            "osgi.command.function=admin",
            "ferry.command.summary=devices:" + DevicesCommand.SUMMARY,
            "ferry.command.summary=admin:" + RawAdminCommand.SUMMARY,
            "ferry.command.devices=devices",
            "ferry.command.devices=admin"
        })
public final class DevicesCommands {

    @Reference(
            cardinality = ReferenceCardinality.OPTIONAL,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY)
    private volatile MigrationService migrations;

    @Reference(
            service = AdminQueue.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY,
            collectionType = CollectionType.TUPLE)
    private volatile List<Map.Entry<Map<String, Object>, AdminQueue>> queues = List.of();

    @Reference(
            service = MigrationDriver.class,
            cardinality = ReferenceCardinality.MULTIPLE,
            policy = ReferencePolicy.DYNAMIC,
            policyOption = ReferencePolicyOption.GREEDY,
            collectionType = CollectionType.PROPERTIES)
    private volatile List<Map<String, Object>> drivers = List.of();

    /** Command {@code devices}. */
    public void devices(String... arguments) {
        CommandRun.of(new DevicesCommand(this::service, this::owners, new DeviceDetails(drivers)), arguments);
    }

    /** Command {@code admin}. */
    public void admin(String... arguments) {
        CommandRun.of(new RawAdminCommand(this::owners), arguments);
    }

    private MigrationService service() throws CommandFailedException {
        return Missing.unlessThere(migrations, "migration service", "dev.ferry.fsm.core");
    }

    private List<OwnerDevice> owners() {
        return OwnerDevice.of(queues);
    }
}
