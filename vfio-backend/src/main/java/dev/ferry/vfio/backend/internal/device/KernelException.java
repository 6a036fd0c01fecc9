// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.device;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.vfio.backend.internal.uapi.LinuxErrno;
import java.util.Optional;

/**
 * A system call failed. The message names the device and the call, what to do, and where the device is now; whoever
 * shows it adds our errno, so that the kernel's stands in it only where ours is another.
 */
public final class KernelException extends DeviceException {
    private static final long serialVersionUID = 1L;

    private final String device;
    private final String call;
    private final int number;
    private final String advice;

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
        this(device, call, number, advice, "");
    }

    /** As above, with a sentence that says where the device is now. */
    KernelException(String device, String call, int number, String advice, String whereabouts) {
        super(nearest(number), sentence(device + ": " + failed(call, number), advice, whereabouts));
        this.device = device;
        this.call = call;
        this.number = number;
        this.advice = advice;
    }

    private static String sentence(String... parts) {
        StringBuilder sentence = new StringBuilder(parts[0]);
        for (int i = 1; i < parts.length; i++) {
            sentence.append(parts[i].isEmpty() ? "" : "; ").append(parts[i]);
        }
        return sentence.toString();
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

    /**
     * What failed, as a reason that stands alone: a property or a line of a log, where nobody adds an errno. Where the
     * device was at that time is left out, since a reason outlives it.
     */
    public static String reason(DeviceException failure) {
        return failure instanceof KernelException kernel
                ? sentence("%s: %s failed (%s)".formatted(kernel.device, kernel.call, kernel.errnoName()),
                        kernel.advice)
                : failure.getMessage();
    }

    /**
     * What went wrong, for a message that names the device itself: that the call failed, with the kernel's errno where
     * our name of it is another.
     */
    static String what(DeviceException failure) {
        return failure instanceof KernelException kernel
                ? failed(kernel.call, kernel.number)
                : failure.getMessage();
    }

    private static String failed(String call, int number) {
        String exactly = Errno.ofNumber(number).isPresent() ? "" : " (" + LinuxErrno.name(number) + ")";
        return call + " failed" + exactly;
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
