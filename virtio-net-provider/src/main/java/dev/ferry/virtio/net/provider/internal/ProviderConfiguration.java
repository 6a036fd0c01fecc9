// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.virtio.driver.command.CommandTimeout;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The configuration of the provider, PID {@link #PID}. */
@ObjectClassDefinition(
        name = "Ferry virtio-net provider",
        description = "How virtio-net member devices are driven through the admin queues of their owner devices.")
public @interface ProviderConfiguration {

    /** The PID. */
    String PID = "dev.ferry.virtio.net.provider";

    /**
     * Unless configured, jobs queue: an object is held for as long as one device migrates, seconds mostly, so that a
     * minute lets many go first. Nothing is disturbed meanwhile.
     */
    long DEFAULT_OBJECT_WAIT_MILLIS = 60_000;

    /** Whoever waits for longer than ten minutes is better served by an error. */
    long MOST_OBJECT_WAIT_MILLIS = 600_000;

    /** Key {@code command.timeout.millis}; read it guarded, {@link CommandTimeout} does. */
    @AttributeDefinition(
            name = "Admin command timeout",
            description = "How long one admin command may take, with its repetitions, in milliseconds; 10 to 60000.",
            min = "10",
            max = "60000")
    long command_timeout_millis() default CommandTimeout.DEFAULT_MILLIS;

    /** Key {@code object.wait.millis}; read it guarded as well. */
    @AttributeDefinition(
            name = "Wait for a device parts object",
            description = "How long a migration, save or restore may wait for a free device parts object of its owner "
                    + "device before it disturbs anything, in milliseconds; 0 to 600000, 0 = refuse at once.",
            min = "0",
            max = "600000")
    long object_wait_millis() default DEFAULT_OBJECT_WAIT_MILLIS;

    /** Key {@code vendor.opcodes}. */
    @AttributeDefinition(
            name = "Commands of vendors",
            description = "Admin commands of vendors that record types may send to members, where the owner device "
                    + "reports them: opcodes, or ranges of them, from 0x0012 to 0x7fff, for example 0x0020-0x002f.")
    String[] vendor_opcodes() default {};
}
