// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver.command;

import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminStatus;
import dev.ferry.virtio.AdminStatusQualifier;

/** An owner device refused a command, and may have said more about it in the command-specific output. */
public final class CommandRefusedException extends AdminCommandException {
    private static final long serialVersionUID = 1L;

    private final int output;

    CommandRefusedException(AdminStatus status, AdminStatusQualifier qualifier, int output, String message) {
        super(status, qualifier, message);
        this.output = output;
    }

    /** The command-specific output; 0 where the device says nothing. */
    public int output() {
        return output;
    }
}
