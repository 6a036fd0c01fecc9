// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import dev.ferry.device.DeviceException;

/** An owner device answered an admin command with a status other than OK. */
public class AdminCommandException extends DeviceException {
    private static final long serialVersionUID = 1L;

    private final AdminStatus status;
    private final AdminStatusQualifier qualifier;

    /** A failed command; the errno is that of the status. */
    public AdminCommandException(AdminStatus status, AdminStatusQualifier qualifier, String message) {
        super(status.errno(), message);
        this.status = status;
        this.qualifier = qualifier;
    }

    /** The status, never OK. */
    public AdminStatus status() {
        return status;
    }

    /** The reason in more detail. */
    public AdminStatusQualifier qualifier() {
        return qualifier;
    }
}
