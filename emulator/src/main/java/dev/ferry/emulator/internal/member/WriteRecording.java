// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.member;

import dev.ferry.device.IovaRange;
import dev.ferry.virtio.context.WriteRecordCapability;
import java.util.List;

/**
 * The pages that one member device writes. Works in any mode, survives every reset of the member. Thread-safe.
 */
public interface WriteRecording {

    /**
     * What was read.
     *
     * @param records written pages, merged, ascending
     * @param more whether there are more in the range
     * @param overflow whether the log was lost, so that every page may have been written; no records are given then
     */
    record Records(List<IovaRange> records, boolean more, boolean overflow) {}

    /** What can be recorded. */
    WriteRecordCapability capability();

    /** Whether it records. */
    boolean isStarted();

    /**
     * Begins with an empty log; it does not record now.
     *
     * @param pageSize one that is supported
     * @param ranges without overlap, aligned
     */
    void start(long pageSize, List<IovaRange> ranges);

    /** Ends and forgets. */
    void stop();

    /**
     * Reads, and clears what is given unless peeked at; it records now.
     *
     * @param range what is asked for
     * @param most records to give, 1 or more
     */
    Records read(IovaRange range, int most, boolean peek);
}
