// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.sys;

import static dev.ferry.vfio.backend.internal.uapi.LinuxErrno.EINTR;

import java.util.function.LongSupplier;

/** Signals that interrupt calls: a profiler sends many, and no call that may be made again fails of one. */
public final class Interrupts {
    /** A call that is interrupted more often fails with EINTR, so that no call is made for ever. */
    static final int MOST = 16;

    /** Makes a call, again while a signal interrupts it; gives what the last gave. */
    public static long retry(LongSupplier call) {
        long result = call.getAsLong();
        for (int interrupts = 0; result == -EINTR && interrupts < MOST; interrupts++) {
            result = call.getAsLong();
        }
        return result;
    }

    private Interrupts() {}
}
