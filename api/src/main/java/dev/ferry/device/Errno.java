// SPDX-License-Identifier: Apache-2.0
package dev.ferry.device;

import java.util.Optional;

/**
 * The Linux error numbers that a migration meets, with the numbers of {@code include/uapi/asm-generic/errno-base.h} and
 * {@code errno.h}.
 *
 * <p>Drivers for other systems use the nearest name. The status of a virtio admin command is such a number, too (virtio
 * 1.4, section "Group administration commands").
 */
public enum Errno {
    /** No such thing where one must be. */
    ENOENT(2),
    /** Input or output error; the way to the device is broken. */
    EIO(5),
    /** No such device or resource object. */
    ENXIO(6),
    /** Try again. */
    EAGAIN(11),
    /** Out of memory, or a size beyond what is accepted. */
    ENOMEM(12),
    /** Not permitted for this user. */
    EACCES(13),
    /** Bad address. */
    EFAULT(14),
    /** Busy. */
    EBUSY(16),
    /** Exists already. */
    EEXIST(17),
    /** The device or the session is gone. */
    ENODEV(19),
    /** Invalid argument, state or data. */
    EINVAL(22),
    /** Not a request this object knows. */
    ENOTTY(25),
    /** No space left; no free resource object. */
    ENOSPC(28),
    /** The session cannot be positioned. */
    ESPIPE(29),
    /** Too large a value. */
    EOVERFLOW(75),
    /** No data for now. */
    ENOMSG(42),
    /** Not supported. */
    EOPNOTSUPP(95),
    /** No answer in time. */
    ETIMEDOUT(110),
    /** Canceled. */
    ECANCELED(125);

    private final int number;

    Errno(int number) {
        this.number = number;
    }

    /** The positive error number. */
    public int number() {
        return number;
    }

    /**
     * The name of an error number.
     *
     * @param number positive
     * @return empty for a number that is not named here
     */
    public static Optional<Errno> ofNumber(int number) {
        for (Errno errno : values()) {
            if (errno.number == number) {
                return Optional.of(errno);
            }
        }
        return Optional.empty();
    }
}
