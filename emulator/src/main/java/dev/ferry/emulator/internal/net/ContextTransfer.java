// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.virtio.context.ContextField;
import dev.ferry.virtio.context.ContextFieldType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The device context on its way: the snapshot that is being read, and the staging area that is being written. Memory is
 * bounded and taken when there is something to keep. Guarded by the function's lock.
 */
final class ContextTransfer {

    /** How much longer than the device's own context one may be: room for optional fields that it does not know. */
    static final int FOREIGN_FIELDS_BYTES = 1 << 20;

    private static final byte[] NOTHING = {};

    /** Null when nothing is being read. */
    private ByteBuffer snapshot;

    private byte[] staged = NOTHING;
    private int stagedBytes;
    /** Where the next field begins, perhaps beyond what is there; where the zeros behind END begin. */
    private long nextField;

    /** Whether the last field is END, perhaps not all of it. */
    private boolean ended;

    /** Drops both. */
    void clear() {
        snapshot = null;
        staged = NOTHING;
        stagedBytes = 0;
        nextField = 0;
        ended = false;
    }

    /** Whether a snapshot is being read. */
    boolean isReading() {
        return snapshot != null;
    }

    /** Begins to read a snapshot. */
    void beginReading(ByteBuffer newSnapshot) {
        snapshot = newSnapshot;
    }

    /** Bytes of the snapshot that were not read; 0 when there is none. */
    int remaining() {
        return snapshot == null ? 0 : snapshot.remaining();
    }

    /** Reads on; at the end it gives 0 and forgets the snapshot. */
    int read(ByteBuffer into) {
        int count = Math.min(snapshot.remaining(), into.remaining());
        if (count == 0) {
            snapshot = null;
            return 0;
        }
        into.put(snapshot.slice(snapshot.position(), count));
        snapshot.position(snapshot.position() + count);
        return count;
    }

    /** Whether anything was written. */
    boolean isStaged() {
        return stagedBytes > 0;
    }

    /** What was written: the last context that began, up to its END as far as that has come. */
    ByteBuffer staged() {
        return ByteBuffer.wrap(staged, 0, stagedBytes).slice().order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The written context was taken. */
    void applied() {
        staged = NOTHING;
        stagedBytes = 0;
        nextField = 0;
        ended = false;
    }

    /**
     * Appends bytes. A field START begins a new context, which supersedes the one before; zeros behind END go nowhere.
     *
     * @param limit most bytes of one context; while a context supersedes another both have room
     * @return false when they would be too many; nothing was taken
     */
    boolean write(ByteBuffer bytes, int limit) {
        if ((long) stagedBytes + bytes.remaining() > 2L * limit) {
            return false;
        }
        int needed = stagedBytes + bytes.remaining();
        if (staged.length < needed) {
            staged = Arrays.copyOf(staged, (int) Math.min(Math.max(2L * staged.length, needed), 2L * limit));
        }
        bytes.get(bytes.position(), staged, stagedBytes, bytes.remaining());
        stagedBytes = needed;
        findFields();
        return true;
    }

    private void findFields() {
        skipZeros();
        while (nextField + ContextField.HEADER_BYTES <= stagedBytes) {
            ContextField field = ContextField.decode(ByteBuffer.wrap(staged), (int) nextField);
            if (field.is(ContextFieldType.START) && nextField > 0) {
                dropBefore((int) nextField);
            }
            nextField += field.fieldBytes();
            ended = field.is(ContextFieldType.END);
            skipZeros();
        }
    }

    private void dropBefore(int start) {
        staged = Arrays.copyOfRange(staged, start, stagedBytes);
        stagedBytes -= start;
        nextField = 0;
        ended = false;
    }

    /** Once END is there as a whole, moves what follows the zeros to where they began, so that no zeros are kept. */
    private void skipZeros() {
        if (!ended || nextField > stagedBytes) {
            return;
        }
        int from = (int) nextField;
        while (from < stagedBytes && staged[from] == 0) {
            from++;
        }
        System.arraycopy(staged, from, staged, (int) nextField, stagedBytes - from);
        stagedBytes -= from - (int) nextField;
    }
}
