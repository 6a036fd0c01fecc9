// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import dev.ferry.migration.MigrationException;
import java.nio.ByteBuffer;

/** Where the bytes of a device's state go; used by one job. */
@FunctionalInterface
interface ByteSink {

    /** Takes all bytes of a buffer, or fails. */
    void write(ByteBuffer from) throws MigrationException;
}
