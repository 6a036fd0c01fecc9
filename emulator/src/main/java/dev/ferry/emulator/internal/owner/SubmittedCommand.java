// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.virtio.AdminCommand;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.context.ContextLayout;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One admin command in execution: what the driver gave, and where the answer goes.
 *
 * <p>Lengths are as tolerant as the text demands: missing input reads as zero, input beyond a structure is ignored,
 * output is cut off at the end of the space. Confined to the thread that executes the command.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Administration
 *     Virtqueues"</a>
 */
final class SubmittedCommand {

    /** A driver must give both parts in multiples of this many bytes. */
    static final int GRANULE_BYTES = 8;

    private final ScatterGather readable;
    private final ScatterGather writable;
    private final AdminCommand command;
    private final boolean mayChange;
    private int resultBytes;
    private int output;

    /**
     * Takes the parts of a command as {@link dev.ferry.virtio.AdminQueue#submit} gets them.
     *
     * @param mayChange whether the driver can change the device-readable part meanwhile, as in memory that it shares;
     *     what is checked is a copy then, so that it is what is used
     */
    SubmittedCommand(ByteBuffer[] readable, ByteBuffer[] writable, boolean mayChange) {
        this.mayChange = mayChange;
        this.readable = ScatterGather.of(readable);
        this.writable = ScatterGather.of(writable);
        this.command = AdminCommand.decode(this.readable.structure(0, AdminCommand.HEADER_BYTES));
    }

    /** The header. */
    AdminCommand command() {
        return command;
    }

    /** The first bytes of the command-specific data, little-endian, filled up with zeros. */
    ByteBuffer data(int bytes) {
        return data(0, bytes);
    }

    /** A structure in the command-specific data, little-endian, filled up with zeros. */
    ByteBuffer data(long offset, int bytes) {
        return readable.structure(AdminCommand.HEADER_BYTES + offset, bytes);
    }

    /** How many bytes of command-specific data there are from an offset on; 0 when the data ends before it. */
    long dataBytesFrom(int offset) {
        return Math.max(0, readable.length() - AdminCommand.HEADER_BYTES - offset);
    }

    /** Command-specific data from an offset on, not filled up; a view where it lies in one segment and stays. */
    ByteBuffer dataFrom(int offset, int bytes) {
        long from = (long) AdminCommand.HEADER_BYTES + offset;
        return mayChange ? readable.structure(from, bytes) : readable.contiguous(from, bytes);
    }

    /** Whether the command-specific data has a byte other than zero at or behind an offset. */
    boolean hasDataFrom(int offset) {
        return readable.hasDataFrom((long) AdminCommand.HEADER_BYTES + offset);
    }

    /** Whether the driver gave the device-readable part in whole granules, so that its end may be padding. */
    boolean mayBePadded() {
        return readable.length() % GRANULE_BYTES == 0;
    }

    /** Whether the driver gave space in whole granules, so that its end may be more than it asks for. */
    boolean mayHaveSpareSpace() {
        return writable.length() % GRANULE_BYTES == 0;
    }

    /** Bytes of space for the command-specific result. */
    long resultSpace() {
        return Math.max(0, writable.length() - AdminResult.HEADER_BYTES);
    }

    /** Writes the command-specific result, from position to limit, cut off at the end of the space. */
    void putResult(ByteBuffer result) {
        resultBytes = (int) Math.min(result.remaining(), resultSpace());
        writable.scatter(AdminResult.HEADER_BYTES, result);
    }

    /**
     * A buffer for the command-specific result: the space itself where that lies in one segment. What was written there
     * counts once {@link #putResultIn} is called.
     *
     * @param bytes not more than {@link #resultSpace}
     */
    ByteBuffer resultBuffer(int bytes) {
        ByteBuffer view = writable.viewOrNull(AdminResult.HEADER_BYTES, bytes);
        return view == null ? ByteBuffer.allocate(bytes) : view;
    }

    /** Takes what was written to a {@link #resultBuffer}, up to its position, as the command-specific result. */
    void putResultIn(ByteBuffer buffer) {
        ByteBuffer result = buffer.duplicate().flip();
        if (writable.viewOrNull(AdminResult.HEADER_BYTES, buffer.capacity()) == null) {
            putResult(result);
        } else {
            resultBytes = result.remaining();
        }
    }

    /** Sets the command-specific output, which takes the place of reserved2 in command sets that have one. */
    void putOutput(int value) {
        output = value;
    }

    /**
     * Writes the head of the answer, and zeros behind the result where it does not fill its last granule: that much a
     * device has to initialise. The zeros do not count, so that the used length tells where the result ends.
     *
     * @return the used length: head and result, as far as there was space
     */
    int complete(AdminResult result) {
        ByteBuffer head = ByteBuffer.allocate(AdminResult.HEADER_BYTES);
        result.encode(head);
        head.order(ByteOrder.LITTLE_ENDIAN).putInt(ContextLayout.OUTPUT_OFFSET, output);
        writable.scatter(0, head.flip());
        int used = (int) Math.min(AdminResult.HEADER_BYTES + resultBytes, writable.length());
        int rest = -used & GRANULE_BYTES - 1;
        if (rest > 0 && used < writable.length()) {
            writable.scatter(used, ByteBuffer.allocate(rest));
        }
        return used;
    }
}
