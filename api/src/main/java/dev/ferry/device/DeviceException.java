// SPDX-License-Identifier: Apache-2.0
package dev.ferry.device;

import java.io.IOException;
import java.util.Objects;

/**
 * A device, or the way to it, refused or failed.
 *
 * <p>An {@link IOException}, so that sessions can throw it from channel methods. The message is one sentence: what
 * failed, where, and what to do where something can be done. It does not repeat the errno.
 */
public class DeviceException extends IOException {
    private static final long serialVersionUID = 1L;

    private final Errno errno;

    /** A failure that has no cause of its own. */
    public DeviceException(Errno errno, String message) {
        this(errno, message, null);
    }

    /** A failure with its cause; {@code cause} may be null. */
    public DeviceException(Errno errno, String message, Throwable cause) {
        super(message, cause);
        this.errno = Objects.requireNonNull(errno, "errno");
    }

    /** What kind of failure it is. */
    public Errno errno() {
        return errno;
    }
}
