// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * One part of an admin command, device-readable or device-writable, as one run of bytes whatever its segments are.
 *
 * <p>Offsets count from the start of the part. The buffers of the caller keep their positions and limits; all access is
 * to their memory. Confined to the thread that executes the command.
 */
final class ScatterGather {

    private final ByteBuffer[] segments;
    private final long length;

    private ScatterGather(ByteBuffer[] segments, long length) {
        this.segments = segments;
        this.length = length;
    }

    /** A part that consists of buffers, each from position to limit. */
    static ScatterGather of(ByteBuffer[] buffers) {
        ByteBuffer[] segments = new ByteBuffer[buffers.length];
        long length = 0;
        for (int i = 0; i < buffers.length; i++) {
            segments[i] = buffers[i].slice();
            length += segments[i].capacity();
        }
        return new ScatterGather(segments, length);
    }

    /** Bytes in all segments together. */
    long length() {
        return length;
    }

    /** A copy of a structure, little-endian; bytes behind the end of the part read as zero. */
    ByteBuffer structure(long offset, int bytes) {
        ByteBuffer copy = ByteBuffer.allocate(bytes);
        gather(offset, copy);
        return copy.rewind().order(ByteOrder.LITTLE_ENDIAN);
    }

    /**
     * Bytes as one little-endian buffer: a view of the segment that holds them all, or a copy where they span segments.
     *
     * @param bytes from the offset on, not beyond the end of the part
     */
    ByteBuffer contiguous(long offset, int bytes) {
        ByteBuffer segment = viewOrNull(offset, bytes);
        return segment == null ? structure(offset, bytes) : segment;
    }

    /** A little-endian view of bytes that one segment holds; null where they span segments. */
    ByteBuffer viewOrNull(long offset, int bytes) {
        long start = 0;
        for (ByteBuffer segment : segments) {
            long within = offset - start;
            if (within >= 0 && within + bytes <= segment.capacity()) {
                return segment.slice((int) within, bytes).order(ByteOrder.LITTLE_ENDIAN);
            }
            start += segment.capacity();
        }
        return null;
    }

    /** Writes what remains in a buffer, cut off at the end of the part. */
    void scatter(long offset, ByteBuffer from) {
        long start = 0;
        for (ByteBuffer segment : segments) {
            long within = offset - start;
            if (within >= 0 && within < segment.capacity()) {
                int bytes = (int) Math.min(from.remaining(), segment.capacity() - within);
                segment.put((int) within, from, from.position(), bytes);
                from.position(from.position() + bytes);
                offset += bytes;
            }
            start += segment.capacity();
        }
    }

    /** Whether the part has a byte other than zero from one offset on and before another. */
    boolean hasData(long from, long to) {
        long start = 0;
        for (ByteBuffer segment : segments) {
            for (long at = Math.max(0, from - start); at < Math.min(segment.capacity(), to - start); at++) {
                if (segment.get((int) at) != 0) {
                    return true;
                }
            }
            start += segment.capacity();
        }
        return false;
    }

    private void gather(long offset, ByteBuffer into) {
        long start = 0;
        for (ByteBuffer segment : segments) {
            long within = offset - start;
            if (within >= 0 && within < segment.capacity()) {
                int bytes = (int) Math.min(into.remaining(), segment.capacity() - within);
                into.put(into.position(), segment, (int) within, bytes);
                into.position(into.position() + bytes);
                offset += bytes;
            }
            start += segment.capacity();
        }
    }
}
