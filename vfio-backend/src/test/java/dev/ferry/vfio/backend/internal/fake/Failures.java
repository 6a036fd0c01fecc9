// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.fake;

/** Counts system calls, of which one by its number fails. Thread-safe. */
final class Failures {
    private int made;
    private int failing = -1;
    private int failingErrno;
    private int laterErrno;
    private String failed = "";

    /**
     * A call that is made from now on fails, and does nothing; 0 is the next. What is closed is closed all the same.
     *
     * @param then what all further calls give, too; 0: these are answered
     */
    synchronized void fail(int number, int errno, int then) {
        made = 0;
        failing = number;
        failingErrno = errno;
        laterErrno = then;
    }

    synchronized int made() {
        return made;
    }

    synchronized String failed() {
        return failed;
    }

    /** What the next call fails with; 0: it is answered. */
    synchronized int of(String call) {
        int number = made++;
        if (number == failing) {
            failed = call;
        }
        return failing < 0 || number < failing ? 0 : number == failing ? failingErrno : laterErrno;
    }
}
