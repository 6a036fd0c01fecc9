// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context.provider.internal;

import dev.ferry.virtio.driver.command.CommandTimeout;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The configuration of the provider, PID {@link #PID}. */
@ObjectClassDefinition(
        name = "Ferry virtio context provider",
        description = "How members are driven whose owner devices speak the command set of the device context.")
public @interface ProviderConfiguration {

    /** The PID. */
    String PID = "dev.ferry.virtio.context.provider";

    /** Key {@code command.timeout.millis}; read it guarded, {@link CommandTimeout} does. */
    @AttributeDefinition(
            name = "Admin command timeout",
            description = "How long one admin command may take, with its repetitions, in milliseconds; 10 to 60000.",
            min = "10",
            max = "60000")
    long command_timeout_millis() default CommandTimeout.DEFAULT_MILLIS;

    /** Key {@code vendor.opcodes}. */
    @AttributeDefinition(
            name = "Commands of vendors",
            description = "Admin commands of vendors that record types may send to members, where the owner device "
                    + "reports them: opcodes, or ranges of them, from 0x0012 to 0x7fff, for example 0x0020-0x002f.")
    String[] vendor_opcodes() default {};
}
