// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.List;
import java.util.Optional;
import java.util.stream.IntStream;

/**
 * The value of a VQ_SPLIT_RUN field: how far the device has come in one enabled split queue.
 *
 * <table>
 *   <caption>Layout, little-endian, 8 bytes and 2 per chain in flight</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>2</td><td>index</td></tr>
 *   <tr><td>2</td><td>2</td><td>last_avail_idx</td></tr>
 *   <tr><td>4</td><td>2</td><td>last_used_idx</td></tr>
 *   <tr><td>6</td><td>2</td><td>n_inflight</td></tr>
 *   <tr><td>8</td><td>2 n_inflight</td><td>heads of chains that were taken and not used</td></tr>
 * </table>
 *
 * <p>Immutable.
 *
 * @param index of the queue
 * @param lastAvail index of the next chain to take, unsigned 16 bits
 * @param lastUsed index of the next chain to use, unsigned 16 bits
 * @param inFlight heads of chains that were taken and not used
 */
public record SplitRunContext(int index, int lastAvail, int lastUsed, List<Integer> inFlight) {

    /** Bytes before the heads. */
    public static final int HEAD_BYTES = 8;

    private static final int COUNT_OFFSET = 6;

    /** Copies the list. */
    public SplitRunContext {
        inFlight = List.copyOf(inFlight);
    }

    /** The value as bytes. */
    public ByteBuffer encode() {
        ByteBuffer value = ByteBuffer.allocate(HEAD_BYTES + Short.BYTES * inFlight.size())
                .order(ByteOrder.LITTLE_ENDIAN)
                .putShort((short) index)
                .putShort((short) lastAvail)
                .putShort((short) lastUsed)
                .putShort((short) inFlight.size());
        inFlight.forEach(head -> value.putShort(head.shortValue()));
        return value.rewind();
    }

    /** Reads a little-endian value, which is not changed; empty when its length is not what it says. */
    public static Optional<SplitRunContext> decode(ByteBuffer value) {
        int heads = value.capacity() < HEAD_BYTES ? 0 : Short.toUnsignedInt(value.getShort(COUNT_OFFSET));
        if (value.capacity() != HEAD_BYTES + Short.BYTES * heads) {
            return Optional.empty();
        }
        return Optional.of(new SplitRunContext(
                Short.toUnsignedInt(value.getShort(0)),
                Short.toUnsignedInt(value.getShort(2)),
                Short.toUnsignedInt(value.getShort(4)),
                IntStream.range(0, heads)
                        .mapToObj(head -> Short.toUnsignedInt(value.getShort(HEAD_BYTES + Short.BYTES * head)))
                        .toList()));
    }
}
