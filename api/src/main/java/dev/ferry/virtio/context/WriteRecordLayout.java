// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context;

/**
 * Layouts of the commands that record which pages a device writes.
 *
 * <table>
 *   <caption>Command-specific data and results, little-endian</caption>
 *   <tr><th>Command</th><th>Layout</th></tr>
 *   <tr><td>START</td><td>data: page_size u64 @0, range_count u32 @8, reserved u32 @12, reserved u64 @16, ranges of
 *       {address u64, length u64} @24; result: chosen page_size u64 @0</td></tr>
 *   <tr><td>READ</td><td>data: address u64 @0, length u64 @8, flags u32 @16 (bit 0 = peek), reserved u32 @20; result:
 *       records of {address u64, length u64}, ascending; output: bits 0 to 29 their number, bit 30 MORE, bit 31
 *       OVERFLOW</td></tr>
 *   <tr><td>STOP</td><td>nothing</td></tr>
 * </table>
 */
public final class WriteRecordLayout {

    /** The least page size. */
    public static final long LEAST_PAGE_SIZE = 4096;

    /** Bytes of the data of START before the ranges. */
    public static final int START_BYTES = 24;
    /** Offset of range_count in the data of START. */
    public static final int RANGE_COUNT_OFFSET = 8;
    /** Bytes of the result of START. */
    public static final int START_RESULT_BYTES = 8;

    /** Bytes of a range and of a record: address u64, length u64. */
    public static final int RANGE_BYTES = 16;
    /** Offset of the length in a range, a record, and the data of READ. */
    public static final int LENGTH_OFFSET = 8;

    /** Bytes of the data of READ. */
    public static final int READ_BYTES = 24;
    /** Offset of the flags in the data of READ. */
    public static final int READ_FLAGS_OFFSET = 16;
    /** Flag of READ: records stay. */
    public static final int FLAG_PEEK = 1;

    /** Mask of the number of records in the output of READ. */
    public static final int OUTPUT_COUNT_MASK = (1 << 30) - 1;
    /** Bit in the output of READ: the range is not finished; those given were cleared, so ask again. */
    public static final int OUTPUT_MORE = 1 << 30;
    /** Bit in the output of READ: the log was lost, every page may have been written; it begins anew. */
    public static final int OUTPUT_OVERFLOW = 1 << 31;

    private WriteRecordLayout() {}
}
