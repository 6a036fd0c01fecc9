// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Layouts of the commands about a device parts object (resource object type 0).
 *
 * <table>
 *   <caption>Command-specific data, little-endian</caption>
 *   <tr><th>Command</th><th>Layout</th></tr>
 *   <tr><td>all</td><td>object header: type u16 @0, reserved[2] @2, id u32 @4</td></tr>
 *   <tr><td>CREATE, MODIFY</td><td>flags u64 @8 (0), operation type u8 @16, reserved[7] @17</td></tr>
 *   <tr><td>QUERY</td><td>flags u64 @8 (0); result: operation type u8 @0, reserved[7] @1</td></tr>
 *   <tr><td>DESTROY</td><td>nothing more</td></tr>
 *   <tr><td>METADATA_GET</td><td>metadata type u8 @8, reserved[7] @9</td></tr>
 *   <tr><td>PARTS_GET</td><td>get type u8 @8, reserved[7] @9, part headers @16</td></tr>
 *   <tr><td>PARTS_SET</td><td>parts @8</td></tr>
 * </table>
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Device resource
 *     objects" and "Device parts"</a>
 */
public final class DevPartsObject {

    /** Resource object type VIRTIO_RESOURCE_OBJ_DEV_PARTS. */
    public static final int TYPE = 0x000;

    /** Bytes of the object header. */
    public static final int HEADER_BYTES = 8;
    /** Bytes of the data of CREATE and MODIFY. */
    public static final int CREATE_BYTES = 24;
    /** Bytes of the result of QUERY. */
    public static final int QUERY_RESULT_BYTES = 8;
    /** Bytes of the data of METADATA_GET. */
    public static final int METADATA_GET_BYTES = 16;
    /** Bytes of the data of PARTS_GET before the headers of wanted parts. */
    public static final int PARTS_GET_BYTES = 16;
    /** Bytes of the result of METADATA_GET for SIZE and COUNT, and before the headers for LIST. */
    public static final int METADATA_RESULT_BYTES = 8;

    /** Offset of the type in the object header. */
    public static final int TYPE_OFFSET = 0;
    /** Offset of the id in the object header. */
    public static final int ID_OFFSET = 4;
    /** Offset of the flags of CREATE, MODIFY and QUERY. */
    public static final int FLAGS_OFFSET = 8;
    /** Offset of the operation type in the data of CREATE and MODIFY. */
    public static final int OPERATION_OFFSET = 16;
    /** Offset of the metadata type, and of the get type. */
    public static final int SELECTION_OFFSET = 8;

    /** What an object is for; one object never serves both. */
    public enum Operation {
        /** Reads metadata and parts. */
        GET,
        /** Writes parts. */
        SET;

        /** The type as one byte. */
        public int number() {
            return ordinal();
        }
    }

    /** What DEV_PARTS_METADATA_GET asks for. */
    public enum Metadata {
        /** The most bytes that all parts take: u32 @0 of the result. */
        SIZE,
        /** How many part headers LIST can give: u32 @0 of the result. */
        COUNT,
        /** The part headers: their number u32 @0, then the headers @8. */
        LIST;

        /** The type as one byte. */
        public int number() {
            return ordinal();
        }
    }

    /** What DEV_PARTS_GET gives. */
    public enum Selection {
        /** The parts whose headers are given. */
        SELECTED,
        /** All parts. */
        ALL;

        /** The type as one byte. */
        public int number() {
            return ordinal();
        }
    }

    private DevPartsObject() {}

    /** Writes the object header at the position of a buffer and moves it on by 8 bytes. */
    public static void encodeHeader(ByteBuffer into, int id) {
        into.slice()
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(0, 0)
                .putShort(TYPE_OFFSET, (short) TYPE)
                .putInt(ID_OFFSET, id);
        into.position(into.position() + HEADER_BYTES);
    }

    /** Writes the data of CREATE at the position of a buffer and moves it on by 24 bytes. */
    public static void encodeCreate(ByteBuffer into, int id, Operation operation) {
        encodeHeader(into, id);
        into.putLong(0).put((byte) operation.number()).put(new byte[7]);
    }

    /** Writes the data of METADATA_GET at the position of a buffer and moves it on by 16 bytes. */
    public static void encodeMetadataGet(ByteBuffer into, int id, Metadata metadata) {
        encodeHeader(into, id);
        into.put((byte) metadata.number()).put(new byte[7]);
    }

    /** Writes the data of PARTS_GET, without headers of wanted parts, and moves the buffer on by 16 bytes. */
    public static void encodePartsGet(ByteBuffer into, int id, Selection selection) {
        encodeHeader(into, id);
        into.put((byte) selection.number()).put(new byte[7]);
    }
}
