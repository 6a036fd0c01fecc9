// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

/** The driver met something that no device may do; the guest stops for good. */
final class GuestFault extends RuntimeException {
    private static final long serialVersionUID = 1L;

    GuestFault(String message) {
        super(message);
    }
}
