// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * The result of WRITE_RECORD_CAP_QUERY: how a device can record which pages it writes.
 *
 * <table>
 *   <caption>Layout, little-endian, 32 bytes</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>8</td><td>page_size_bitmap: bit n = pages of 2^n bytes</td></tr>
 *   <tr><td>8</td><td>4</td><td>max_ranges</td></tr>
 *   <tr><td>12</td><td>4</td><td>reserved</td></tr>
 *   <tr><td>16</td><td>8</td><td>max_records</td></tr>
 *   <tr><td>24</td><td>4</td><td>flags: bit 0 = exact</td></tr>
 *   <tr><td>28</td><td>4</td><td>reserved</td></tr>
 * </table>
 *
 * <p>Immutable.
 *
 * @param pageSizes bit n set: pages of 2^n bytes can be recorded
 * @param maxRanges most ranges of one START, unsigned 32 bits
 * @param maxRecords records that the device keeps before its log is lost
 * @param exact whether no page is recorded that was not written
 */
public record WriteRecordCapability(long pageSizes, long maxRanges, long maxRecords, boolean exact) {

    /** Bytes of an encoded capability. */
    public static final int BYTES = 32;

    private static final int FLAG_EXACT = 1;

    /** The result as bytes. */
    public ByteBuffer encode() {
        return ByteBuffer.allocate(BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(0, pageSizes)
                .putInt(8, (int) maxRanges)
                .putLong(16, maxRecords)
                .putInt(24, exact ? FLAG_EXACT : 0);
    }

    /** Reads a result of {@link #BYTES}, little-endian; not changed. */
    public static WriteRecordCapability decode(ByteBuffer result) {
        return new WriteRecordCapability(
                result.getLong(0),
                Integer.toUnsignedLong(result.getInt(8)),
                result.getLong(16),
                (result.getInt(24) & FLAG_EXACT) != 0);
    }
}
