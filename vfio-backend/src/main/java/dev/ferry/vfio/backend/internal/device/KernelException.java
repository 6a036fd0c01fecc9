// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import java.util.Optional;

/** A system call failed. The message names the device and the call, and the kernel's errno where ours is only near. */
public final class KernelException extends DeviceException {
    private static final long serialVersionUID = 1L;

    private final String call;
    private final int number;

    /**
     * A failed call.
     *
     * @param device the device, or the file, it was made on
     * @param call what was called, in the kernel's words
     * @param number the error number, 1 or more
     */
    public KernelException(String device, String call, int number) {
        this(device, call, number, "");
    }

    /** As above, with a sentence that says what to do. */
    public KernelException(String device, String call, int number, String advice) {
        super(nearest(number), "%s: %s failed%s%s".formatted(device, call, exactly(number), advice.isEmpty()
                ? "" : "; " + advice));
        this.call = call;
        this.number = number;
    }

    /** What was called, for example {@code VFIO_DEVICE_RESET}. */
    public String call() {
        return call;
    }

    /** The kernel's error number. */
    public int number() {
        return number;
    }

    /** The kernel's name of the error. */
    public String errnoName() {
        return LinuxErrno.name(number);
    }

    /** Empty when our name of the error is the kernel's; otherwise the kernel's in brackets. */
    static String exactly(int number) {
        return Errno.ofNumber(number).isPresent() ? "" : " (" + LinuxErrno.name(number) + ")";
    }

    /** Our error for a kernel's: the same, or the one with the same consequence. */
    public static Errno nearest(int number) {
        Optional<Errno> same = Errno.ofNumber(number);
        return same.orElseGet(() -> switch (number) {
            case LinuxErrno.EPERM -> Errno.EACCES;
            case LinuxErrno.EBADF, LinuxErrno.EPIPE -> Errno.ENODEV;
            case LinuxErrno.EINTR -> Errno.EAGAIN;
            case LinuxErrno.E2BIG, LinuxErrno.ERANGE -> Errno.EOVERFLOW;
            case LinuxErrno.EMFILE, LinuxErrno.ENFILE -> Errno.ENOSPC;
            default -> Errno.EIO;
        });
    }
}
