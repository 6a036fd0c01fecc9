// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;

/** An owner device speaks the command set of another provider, which drives it; nothing is wrong with it. */
public final class OtherCommandSetException extends DeviceException {
    private static final long serialVersionUID = 1L;

    /** One sentence: which owner, which set. */
    public OtherCommandSetException(String message) {
        super(Errno.EOPNOTSUPP, message);
    }
}
