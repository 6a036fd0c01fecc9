// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import org.osgi.service.metatype.annotations.AttributeDefinition;
import org.osgi.service.metatype.annotations.ObjectClassDefinition;

/** The configuration of the stream format, PID {@link #PID}. Sessions keep the values they were opened with. */
@ObjectClassDefinition(
        name = "Ferry stream format virtiovf",
        description = "Limits for the records of a saved virtio-net device.")
public @interface VirtiovfConfiguration {

    /** The PID. */
    String PID = "dev.ferry.stream.virtiovf";

    /** Unless configured: 64 MiB, about 900 times what a device of 1,024 queues needs. */
    long DEFAULT_MAX_RECORD_BYTES = 64L << 20;

    /** One page, which the device parts of 26 queue pairs fit into: a lower limit would save nothing worth it. */
    long LEAST_MAX_RECORD_BYTES = 4096;

    /** The hard bound, 1 GiB: a record with its header must fit into one buffer. The kernel's is 4 GiB - 1. */
    long MOST_MAX_RECORD_BYTES = 1L << 30;

    /** Key {@code max.record.bytes}; read it guarded, {@link VirtiovfFormat} does. */
    @AttributeDefinition(
            name = "Largest record",
            description = "Largest payload of one record that is written or accepted, in bytes; 4096 to 1073741824.",
            min = "4096",
            max = "1073741824")
    long max_record_bytes() default DEFAULT_MAX_RECORD_BYTES;
}
