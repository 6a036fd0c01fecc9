// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import dev.ferry.virtio.driver.command.CommandTimeout;
import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The configuration of the bundle, PID {@link #PID}. */
@ObjectClassDefinition(
        name = "Ferry virtio legacy I/O",
        description = "How legacy guests are given the registers of virtio-net member devices.")
public @interface LegacyIoConfiguration {

    /** The PID. */
    String PID = "dev.ferry.virtio.legacy.io";

    /** Key {@code command.timeout.millis}; read it guarded, {@link CommandTimeout} does. */
    @AttributeDefinition(
            name = "Admin command timeout",
            description = "How long one admin command may take, with its repetitions, in milliseconds; 10 to 60000.",
            min = "10",
            max = "60000")
    long command_timeout_millis() default CommandTimeout.DEFAULT_MILLIS;
}
