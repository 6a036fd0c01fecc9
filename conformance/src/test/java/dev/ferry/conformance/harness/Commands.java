// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.harness;

import static dev.ferry.conformance.harness.Hex.le16;
import static dev.ferry.conformance.harness.Hex.le32;
import static dev.ferry.conformance.harness.Hex.le64;
import static dev.ferry.conformance.harness.Hex.u8;
import static dev.ferry.conformance.harness.Hex.zeros;

/**
 * Admin commands and answers as they lie in memory, typed in from the text: opcode, group type, 12 bytes reserved,
 * member id, data; status, qualifier, 4 bytes reserved, result.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Group administration
 *     commands"</a>
 */
public final class Commands {

    /** Status 0, qualifier 0. */
    public static final String OK = "0000 0000 00000000";
    /** EINVAL, Q_INVALID_COMMAND. */
    public static final String INVALID_COMMAND = "1600 0100 00000000";
    /** EINVAL, Q_INVALID_OPCODE. */
    public static final String INVALID_OPCODE = "1600 0200 00000000";
    /** EINVAL, Q_INVALID_FIELD. */
    public static final String INVALID_FIELD = "1600 0300 00000000";
    /** EINVAL, Q_INVALID_GROUP. */
    public static final String INVALID_GROUP = "1600 0400 00000000";
    /** EINVAL, Q_INVALID_MEMBER. */
    public static final String INVALID_MEMBER = "1600 0500 00000000";

    /** Status ENXIO. */
    public static final int ENXIO = 6;
    /** Status EAGAIN. */
    public static final int EAGAIN = 11;
    /** Status ENOMEM. */
    public static final int ENOMEM = 12;
    /** Status EBUSY. */
    public static final int EBUSY = 16;
    /** Status EEXIST. */
    public static final int EEXIST = 17;
    /** Status EINVAL. */
    public static final int EINVAL = 22;
    /** Status ENOSPC. */
    public static final int ENOSPC = 28;

    /** VIRTIO_ADMIN_GROUP_TYPE_SELF. */
    public static final int SELF = 0;
    /** VIRTIO_ADMIN_GROUP_TYPE_SRIOV. */
    public static final int SR_IOV = 1;

    /** Object that reads parts. */
    public static final int GET = 0;
    /** Object that writes parts. */
    public static final int SET = 1;

    /** Metadata: the most bytes of all parts. */
    public static final int SIZE = 0;
    /** Metadata: how many headers LIST gives. */
    public static final int COUNT = 1;
    /** Metadata: the headers. */
    public static final int LIST = 2;

    private Commands() {}

    /** Any command. */
    public static String command(int opcode, int group, long member, String data) {
        return le16(opcode) + le16(group) + zeros(12) + le64(member) + data;
    }

    /** A command to the owner device itself. */
    public static String toSelf(int opcode, String data) {
        return command(opcode, SELF, 0, data);
    }

    /** A command to a VF. */
    public static String toMember(int opcode, long member, String data) {
        return command(opcode, SR_IOV, member, data);
    }

    /** LIST_QUERY. */
    public static String listQuery(int group) {
        return command(0x00, group, 0, "");
    }

    /** LIST_USE of one word. */
    public static String listUse(int group, long opcodes) {
        return command(0x01, group, 0, le64(opcodes));
    }

    /** CAP_ID_LIST_QUERY. */
    public static String capIdListQuery() {
        return toSelf(0x07, "");
    }

    /** DEVICE_CAP_GET. */
    public static String deviceCapGet(int id) {
        return toSelf(0x08, le16(id) + zeros(6));
    }

    /** DRIVER_CAP_SET of the device parts capability. */
    public static String driverCapSet(int getLimit, int setLimit) {
        return toSelf(0x09, le16(0) + zeros(6) + u8(getLimit) + u8(setLimit));
    }

    /** An object header: type 0, id. */
    public static String object(long id) {
        return le16(0) + zeros(2) + le32(id);
    }

    /** RESOURCE_OBJ_CREATE of a device parts object. */
    public static String create(long member, long id, int purpose) {
        return toMember(0x0a, member, object(id) + zeros(8) + u8(purpose) + zeros(7));
    }

    /** RESOURCE_OBJ_MODIFY of a device parts object. */
    public static String modify(long member, long id, int purpose) {
        return toMember(0x0b, member, object(id) + zeros(8) + u8(purpose) + zeros(7));
    }

    /** RESOURCE_OBJ_QUERY of a device parts object. */
    public static String query(long member, long id) {
        return toMember(0x0c, member, object(id) + zeros(8));
    }

    /** RESOURCE_OBJ_DESTROY of a device parts object. */
    public static String destroy(long member, long id) {
        return toMember(0x0d, member, object(id));
    }

    /** DEV_PARTS_METADATA_GET. */
    public static String metadata(long member, long id, int type) {
        return toMember(0x0e, member, object(id) + u8(type) + zeros(7));
    }

    /** DEV_PARTS_GET of everything. */
    public static String getAll(long member, long id) {
        return toMember(0x0f, member, object(id) + u8(1) + zeros(7));
    }

    /** DEV_PARTS_GET of the parts with these headers. */
    public static String getSelected(long member, long id, String headers) {
        return toMember(0x0f, member, object(id) + u8(0) + zeros(7) + headers);
    }

    /** DEV_PARTS_SET. */
    public static String set(long member, long id, String parts) {
        return toMember(0x10, member, object(id) + parts);
    }

    /** DEV_MODE_SET to stopped. */
    public static String stop(long member) {
        return toMember(0x11, member, u8(1));
    }

    /** DEV_MODE_SET to running. */
    public static String resume(long member) {
        return toMember(0x11, member, u8(0));
    }
}
