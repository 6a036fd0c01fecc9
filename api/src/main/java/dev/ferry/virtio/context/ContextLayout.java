// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context;

/**
 * Layouts of the commands about a device context, and of the command-specific output of the whole set.
 *
 * <table>
 *   <caption>Command-specific data and results, little-endian</caption>
 *   <tr><th>Command</th><th>Layout</th></tr>
 *   <tr><td>SIZE_GET</td><td>data: freeze_mode u8 @0 (0 or 1), reserved[7]; result: size u64 @0</td></tr>
 *   <tr><td>READ</td><td>result: context bytes; output: their number. 0 = end, and the next READ begins anew</td></tr>
 *   <tr><td>READ, form B</td><td>result: size u32 @0, remaining u32 @4, context bytes @8; output 0</td></tr>
 *   <tr><td>WRITE</td><td>data: context bytes, any segmentation</td></tr>
 *   <tr><td>FIELDS_QUERY</td><td>result: entries of {type u16 @0, reserved[2] @2, length u32 @4}, ascending</td></tr>
 * </table>
 *
 * <p>The device-writable part has the command-specific output where virtio 1.4 has reserved2: status u16 @0,
 * status_qualifier u16 @2, output u32 @4, result @8. It is 0 but for the READ commands and for a MODE_SET that is
 * refused because of a written context: that tells the field, see {@link #refusedField}.
 */
public final class ContextLayout {

    /** Offset of the command-specific output in the device-writable part. */
    public static final int OUTPUT_OFFSET = 4;

    /** Bytes of the data of SIZE_GET. */
    public static final int SIZE_GET_BYTES = 8;
    /** Bytes of the result of SIZE_GET. */
    public static final int SIZE_RESULT_BYTES = 8;
    /** freeze_mode: the size in the present mode; what is not read yet while a read is in progress. */
    public static final int PRESENT_MODE = 0;
    /** freeze_mode: the most that the context can take in FREEZE. */
    public static final int FREEZE_MODE = 1;

    /** Bytes before the context in a result of READ in form B. */
    public static final int READ_FORM_B_BYTES = 8;
    /** Offset of the number of bytes still to come in form B. */
    public static final int READ_FORM_B_REMAINING_OFFSET = 4;

    /** Bytes of one entry of FIELDS_QUERY. */
    public static final int FIELD_ENTRY_BYTES = 8;
    /** Length in an entry of FIELDS_QUERY of a field that has no fixed one. */
    public static final int VARIABLE_LENGTH = 0xFFFF_FFFF;

    private static final int INDEX_SHIFT = 16;

    private ContextLayout() {}

    /**
     * The output of a MODE_SET that is refused because of the written context: type of the field in bits 0 to 15, index
     * of its queue in bits 16 to 31. Our own addition; 0 where a device says nothing.
     *
     * @param type of the field
     * @param index of the queue, 0 for a field of the device
     */
    public static int refusedField(int type, int index) {
        return type & 0xFFFF | index << INDEX_SHIFT;
    }

    /** The type of the field in such an output; 0 = not told. */
    public static int refusedType(int output) {
        return output & 0xFFFF;
    }

    /** The queue of the field in such an output. */
    public static int refusedIndex(int output) {
        return output >>> INDEX_SHIFT;
    }
}
