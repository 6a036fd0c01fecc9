// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.AdminStatus;
import dev.ferry.virtio.AdminStatusQualifier;

/**
 * The ways in which the owner device refuses a command; none has a side effect.
 *
 * <p>The text fixes qualifiers for EINVAL only. With another status the qualifier says where the cause lies: in a field
 * of the command, in resources that are used up, or nothing more.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Group administration
 *     commands", status and qualifier values</a>
 */
final class Refusal {

    /** The group type is unknown, has no members, or the command is not one for it. */
    static final AdminResult INVALID_GROUP =
            AdminResult.of(AdminStatus.EINVAL, AdminStatusQualifier.Q_INVALID_GROUP);
    /** The opcode is not in the list in use. */
    static final AdminResult INVALID_OPCODE =
            AdminResult.of(AdminStatus.EINVAL, AdminStatusQualifier.Q_INVALID_OPCODE);
    /** There is no such member. */
    static final AdminResult INVALID_MEMBER =
            AdminResult.of(AdminStatus.EINVAL, AdminStatusQualifier.Q_INVALID_MEMBER);
    /** A field of the data has a value that is not allowed. */
    static final AdminResult INVALID_FIELD =
            AdminResult.of(AdminStatus.EINVAL, AdminStatusQualifier.Q_INVALID_FIELD);
    /** The member does not have what the command is about. */
    static final AdminResult UNSUPPORTED =
            AdminResult.of(AdminStatus.EINVAL, AdminStatusQualifier.Q_INVALID_COMMAND);
    /** There is no such capability or resource object. */
    static final AdminResult NOT_FOUND = AdminResult.of(AdminStatus.ENXIO, AdminStatusQualifier.Q_INVALID_FIELD);
    /** The resource object is there already. */
    static final AdminResult EXISTS = AdminResult.of(AdminStatus.EEXIST, AdminStatusQualifier.Q_INVALID_FIELD);
    /** Resource objects live that depend on what should change. */
    static final AdminResult BUSY = AdminResult.of(AdminStatus.EBUSY, AdminStatusQualifier.Q_INVALID_COMMAND);
    /** The resource object would be one more than the limit allows. */
    static final AdminResult LIMIT_REACHED = AdminResult.of(AdminStatus.ENOSPC, AdminStatusQualifier.Q_NORESOURCE);
    /** The space for the result, or the size that is accepted, is too small. */
    static final AdminResult TOO_SMALL = AdminResult.of(AdminStatus.ENOMEM, AdminStatusQualifier.Q_NORESOURCE);
    /** The member is busy with something that does not end in time. */
    static final AdminResult TRY_AGAIN = AdminResult.of(AdminStatus.EAGAIN, AdminStatusQualifier.Q_TRYAGAIN);

    private Refusal() {}
}
