// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

/** A device part cannot be taken; nothing of what came with it is. */
final class PartRefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    /** One sentence: which part, and why. */
    PartRefusedException(String message) {
        super(message);
    }
}
