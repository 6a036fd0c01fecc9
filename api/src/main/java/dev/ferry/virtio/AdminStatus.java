// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import dev.ferry.device.Errno;

/**
 * The status of an admin command; numbers equal Linux error numbers on purpose.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Group administration
 *     commands", status values</a>
 */
public enum AdminStatus {
    /** Done; the qualifier is Q_OK. */
    OK(0),
    /** No such capability or resource object. */
    ENXIO(6),
    /** Try again; nothing happened. */
    EAGAIN(11),
    /** Insufficient resources; nothing happened. */
    ENOMEM(12),
    /** Device busy. */
    EBUSY(16),
    /** The resource object exists; used by the text, though missing from its table of status values. */
    EEXIST(17),
    /** Invalid command; nothing happened. Also stands for every status that is not known. */
    EINVAL(22),
    /** Resources of the device exhausted. */
    ENOSPC(28);

    private final int number;

    AdminStatus(int number) {
        this.number = number;
    }

    /** The status as unsigned 16 bits. */
    public int number() {
        return number;
    }

    /** The same failure as an error number; EIO for OK, which is none. */
    public Errno errno() {
        return Errno.ofNumber(number).orElse(Errno.EIO);
    }

    /** The status of a number; a driver must take an unknown one for EINVAL, and so does this. */
    public static AdminStatus ofNumber(int number) {
        for (AdminStatus status : values()) {
            if (status.number == number) {
                return status;
            }
        }
        return EINVAL;
    }
}
