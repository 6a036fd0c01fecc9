// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.migration.MigrationException;
import java.nio.ByteBuffer;

/** Where the bytes of a device's state come from; used by one job. */
@FunctionalInterface
interface ByteSource {

    /** Result of {@link #read}: everything was read. */
    int END = -1;

    /** Reads some bytes: 1 or more, 0 for none at the moment, or {@link #END}. */
    int read(ByteBuffer into) throws MigrationException;
}
