// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.member;

import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.context.DeviceMode;
import java.nio.ByteBuffer;

/**
 * A member device as its owner device handles it with the command set of the device context. One snapshot and one staging
 * area per member; both are dropped by a reset of the member, by whomever, which leaves the mode alone. Thread-safe.
 */
public interface ContextDevice {

    /**
     * What became of a change of mode.
     *
     * @param result OK, or why the mode is as before
     * @param output the command-specific output: where a written context is refused, which field of it
     */
    record ModeChange(AdminResult result, int output) {}

    /** The mode now. */
    DeviceMode mode();

    /**
     * Changes the mode, by way of STOP where need be. Leaving FREEZE applies a context that was written, all or nothing,
     * and then what the driver wrote meanwhile.
     */
    ModeChange setMode(DeviceMode to);

    /** Bytes of the context now; of a snapshot that is being read those that were not read yet. */
    int contextSize();

    /** The most bytes that the context can have in FREEZE. */
    int maxContextSize();

    /**
     * Reads the next bytes of the context: of a snapshot that the first read takes.
     *
     * @param into its position is moved behind them; has space for one or more
     * @return the number of bytes; 0 at the end, and then the next read takes a new snapshot
     */
    int readContext(ByteBuffer into);

    /** Bytes of the snapshot that were not read yet; 0 when there is none. */
    int remainingContext();

    /**
     * Takes the next bytes of a context, all or none.
     *
     * @param context from position to limit; not changed
     * @return OK, or why nothing was taken
     */
    AdminResult writeContext(ByteBuffer context);

    /** The entries of FIELDS_QUERY: the fields that the device knows, ascending. */
    ByteBuffer contextFields();

    /** Drops snapshot and staging area. */
    void discardContext();

    /** Records which pages the device writes. */
    WriteRecording writeRecords();

    /** Function-level reset as {@link MemberDevice#resetFunction}, but the mode stays. */
    void resetFunction();

    /** The owner device was reset: the member is ACTIVE, with no snapshot, no staging area and no write recording. */
    void ownerReset();
}
