// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.virtqueue;

/** A driver broke the rules of a virtqueue; the device can go on only after a reset. */
public final class RingFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    /** A fault, in one sentence; no stack trace, since guests cause it and may do so often. */
    public RingFault(String message) {
        super(message, null, false, false);
    }
}
