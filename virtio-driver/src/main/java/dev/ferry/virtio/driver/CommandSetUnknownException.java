// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;

/**
 * An owner device did not say which command set it speaks. Its members can be another provider's to show, and two
 * drivers of one device must not be, so whoever throws this shows none.
 */
public final class CommandSetUnknownException extends DeviceException {
    private static final long serialVersionUID = 1L;

    /** For the reason why LIST_QUERY failed. */
    public CommandSetUnknownException(DeviceException cause) {
        super(cause.errno(), cause.getMessage(), cause);
    }
}
