// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import java.util.Optional;

/**
 * The group administration commands of virtio 1.4, by opcode.
 *
 * <p>Where the opcode table of the text and the paragraphs of the commands differ (MODIFY and QUERY), the paragraphs
 * hold. Opcodes 0x0012 to 0x7FFF are free, 0x8000 and above reserved.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Group administration
 *     commands"</a>
 */
public enum AdminOpcode {
    /** VIRTIO_ADMIN_CMD_LIST_QUERY. */
    LIST_QUERY(0x0000),
    /** VIRTIO_ADMIN_CMD_LIST_USE. */
    LIST_USE(0x0001),
    /** VIRTIO_ADMIN_CMD_LEGACY_COMMON_CFG_WRITE. */
    LEGACY_COMMON_CFG_WRITE(0x0002),
    /** VIRTIO_ADMIN_CMD_LEGACY_COMMON_CFG_READ. */
    LEGACY_COMMON_CFG_READ(0x0003),
    /** VIRTIO_ADMIN_CMD_LEGACY_DEV_CFG_WRITE. */
    LEGACY_DEV_CFG_WRITE(0x0004),
    /** VIRTIO_ADMIN_CMD_LEGACY_DEV_CFG_READ. */
    LEGACY_DEV_CFG_READ(0x0005),
    /** VIRTIO_ADMIN_CMD_LEGACY_NOTIFY_INFO. */
    LEGACY_NOTIFY_INFO(0x0006),
    /** VIRTIO_ADMIN_CMD_CAP_ID_LIST_QUERY. */
    CAP_ID_LIST_QUERY(0x0007),
    /** VIRTIO_ADMIN_CMD_DEVICE_CAP_GET. */
    DEVICE_CAP_GET(0x0008),
    /** VIRTIO_ADMIN_CMD_DRIVER_CAP_SET. */
    DRIVER_CAP_SET(0x0009),
    /** VIRTIO_ADMIN_CMD_RESOURCE_OBJ_CREATE. */
    RESOURCE_OBJ_CREATE(0x000a),
    /** VIRTIO_ADMIN_CMD_RESOURCE_OBJ_MODIFY. */
    RESOURCE_OBJ_MODIFY(0x000b),
    /** VIRTIO_ADMIN_CMD_RESOURCE_OBJ_QUERY. */
    RESOURCE_OBJ_QUERY(0x000c),
    /** VIRTIO_ADMIN_CMD_RESOURCE_OBJ_DESTROY. */
    RESOURCE_OBJ_DESTROY(0x000d),
    /** VIRTIO_ADMIN_CMD_DEV_PARTS_METADATA_GET. */
    DEV_PARTS_METADATA_GET(0x000e),
    /** VIRTIO_ADMIN_CMD_DEV_PARTS_GET. */
    DEV_PARTS_GET(0x000f),
    /** VIRTIO_ADMIN_CMD_DEV_PARTS_SET. */
    DEV_PARTS_SET(0x0010),
    /** VIRTIO_ADMIN_CMD_DEV_MODE_SET. */
    DEV_MODE_SET(0x0011);

    private final int number;

    AdminOpcode(int number) {
        this.number = number;
    }

    /** The opcode, unsigned 16 bits; also the number of its bit in the lists of LIST_QUERY and LIST_USE. */
    public int number() {
        return number;
    }

    /** The command of an opcode; empty for one that virtio 1.4 does not assign. */
    public static Optional<AdminOpcode> ofNumber(int number) {
        AdminOpcode[] opcodes = values();
        return number < 0 || number >= opcodes.length ? Optional.empty() : Optional.of(opcodes[number]);
    }
}
