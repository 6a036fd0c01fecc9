// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.AttributeType;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/**
 * The configuration of the backend, PID {@link #PID}. Read it through {@link BackendSettings}. Numbers come as they
 * were given: what Declarative Services cannot convert it tells without the key.
 */
@ObjectClassDefinition(
        name = "Ferry VFIO backend",
        description = "Which VFIO devices of this host may be opened, and how.")
public @interface BackendConfiguration {

    /** The PID. */
    String PID = "dev.ferry.vfio.backend";

    /** Key {@code devices}. */
    @AttributeDefinition(
            name = "Devices",
            description = "PCI addresses (0000:3b:00.2) and UUIDs of mediated devices that may be opened; no others.")
    String[] devices() default {};

    /** Key {@code host}. */
    @AttributeDefinition(
            name = "Host",
            description = "First part of the devices' ids; empty for the name that the host gives itself.")
    String host() default "";

    /** Key {@code access}. */
    @AttributeDefinition(
            name = "Access",
            description = "auto, group (group and container) or cdev (character device and iommufd).")
    String access() default "auto";

    /** Key {@code dirty.tracking}. */
    @AttributeDefinition(
            name = "Dirty tracking",
            description = "Ways that may be taken: device, iommufd, container; the first of these that works is.")
    String[] dirty_tracking() default {"device", "iommufd", "container"};

    /** Key {@code data.timeout.millis}. */
    @AttributeDefinition(
            name = "Data timeout",
            description = "How long one transfer of device data may wait for the device, in milliseconds; 10 to 60000.",
            type = AttributeType.INTEGER,
            min = "10",
            max = "60000")
    String data_timeout_millis() default "5000";

    /** Key {@code rescan.seconds}. */
    @AttributeDefinition(
            name = "Rescan interval",
            description = "How often the host is looked over for devices that came or went, in seconds; 1 to 3600.",
            type = AttributeType.INTEGER,
            min = "1",
            max = "3600")
    String rescan_seconds() default "10";

    /** Key {@code handover.socket}. */
    @AttributeDefinition(
            name = "Handover socket",
            description = "Path of the UNIX socket at which other processes hand over open devices; empty for none.")
    String handover_socket() default "";

    /** Key {@code handover.users}. */
    @AttributeDefinition(
            name = "Handover users",
            description = "Numbers of users that may hand devices over, beside this process's own and root.",
            type = AttributeType.LONG)
    String[] handover_users() default {};
}
