// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal;

import dev.ferry.emulator.internal.net.FunctionConfig;
import dev.ferry.emulator.internal.owner.AdapterSettings;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;
import org.osgi.service.metatype.annotations.Option;

/** The configuration of one emulated adapter, factory PID {@link EmulatedAdapterComponent#PID}. */
@ObjectClassDefinition(
        name = "Ferry emulated adapter",
        description = "A software virtio-net adapter: an owner device (PF) with an admin queue, and its VFs.")
@interface AdapterConfiguration {

    /** Name of the emulated host; mandatory. */
    @AttributeDefinition(description = "Name of the emulated host that the adapter is in")
    String host();

    /** Name of the owner device within its host; mandatory. */
    @AttributeDefinition(description = "Name of the owner device, unique within its host, for example pf0")
    String name();

    /** Number of VFs. */
    @AttributeDefinition(
            description = "Number of VFs; may change while the adapter lives",
            min = "0",
            max = "" + AdapterSettings.MAX_MEMBERS)
    int members() default 4;

    /** Queue pairs of each VF. */
    @AttributeDefinition(
            description = "Receive and transmit queue pairs of each VF",
            min = "1",
            max = "" + FunctionConfig.MAX_QUEUE_PAIRS)
    int queue_pairs() default 1;

    /** Largest virtqueue. */
    @AttributeDefinition(
            description = "Most descriptors of one virtqueue, a power of two",
            min = "2",
            max = "" + FunctionConfig.MAX_QUEUE_SIZE)
    int queue_size() default 256;

    /** Whether only what the text allows is accepted. */
    @AttributeDefinition(description = "Refuse the deviations of the Linux driver from the virtio text")
    boolean strict() default false;

    /** Limit of resource objects. */
    @AttributeDefinition(
            description = "Most device parts objects for reading, and for writing",
            min = "1",
            max = "" + AdapterSettings.MAX_OBJECTS)
    int object_limit() default AdapterSettings.MAX_OBJECTS;

    /** Command set of migration. */
    @AttributeDefinition(
            description = "By which admin commands members migrate: parts (virtio 1.4), context (the 2023 proposal),"
                    + " context-form-b (the same, READ with sizes in its result)",
            options = {
                @Option(label = "device parts", value = "parts"),
                @Option(label = "device context", value = "context"),
                @Option(label = "device context, form B", value = "context-form-b")
            })
    String commands() default "parts";

    /** Whether the host tracks writes. */
    @AttributeDefinition(
            description = "Whether the host can tell which pages a VF writes; false shows migrations without that")
    boolean dirty_tracking() default true;

    /** Time that the device takes. */
    @AttributeDefinition(
            description = "Time that commands take: a profile, none or smartnic, then steps with another time, for"
                    + " example: smartnic, firstLoad=2s, load=500us")
    String latency() default "none";

    /** Admin queues. */
    @AttributeDefinition(
            description = "Admin queues that the commands of VFs are spread over while commands take time",
            min = "1",
            max = "" + AdapterSettings.MAX_ADMIN_QUEUES)
    int admin_queues() default AdapterSettings.DEFAULT_ADMIN_QUEUES;

    /** Features that are not offered. */
    @AttributeDefinition(
            description = "Names of virtio features that the VFs do not offer, for example NET_CTRL_VLAN")
    String[] features_off() default {};

    /** Whether the legacy commands are offered. */
    @AttributeDefinition(
            description = "Offer the legacy interface of the VFs by admin commands 0x02 to 0x06; never with the device"
                    + " context")
    boolean legacy() default true;
}
