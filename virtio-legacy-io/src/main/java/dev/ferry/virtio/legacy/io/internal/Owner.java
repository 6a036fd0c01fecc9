// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.FunctionAccess;
import java.util.ArrayList;
import java.util.List;

/** One owner device: its commands, and the way to the functions of its members. Thread-safe. */
final class Owner {

    private static final List<AdminOpcode> NEEDED = List.of(
            AdminOpcode.LEGACY_COMMON_CFG_WRITE,
            AdminOpcode.LEGACY_COMMON_CFG_READ,
            AdminOpcode.LEGACY_DEV_CFG_WRITE,
            AdminOpcode.LEGACY_DEV_CFG_READ,
            AdminOpcode.LEGACY_NOTIFY_INFO);

    private final String id;
    private final OwnerCommands commands;
    private final FunctionAccess functions;
    /** Guarded by this object's monitor; asked for once, since a list never shrinks. */
    private Long reported;

    Owner(String id, OwnerCommands commands, FunctionAccess functions) {
        this.id = id;
        this.commands = commands;
        this.functions = functions;
    }

    String id() {
        return id;
    }

    OwnerCommands commands() {
        return commands;
    }

    FunctionAccess functions() {
        return functions;
    }

    /**
     * Asks which commands the owner device has for its members. LIST_QUERY changes nothing, and whoever put commands in
     * use left it in use; LIST_USE is not for this bundle to send.
     *
     * @throws DeviceException EOPNOTSUPP when it lacks one of the five; others as it gives them
     */
    synchronized void requireCommands() throws DeviceException {
        if (reported == null) {
            reported = commands.execute(AdminOpcode.LIST_QUERY, 0, new byte[0], Long.BYTES).getLong(0);
        }
        List<String> missing = new ArrayList<>();
        for (AdminOpcode opcode : NEEDED) {
            if ((reported & 1L << opcode.number()) == 0) {
                missing.add(opcode.name());
            }
        }
        if (!missing.isEmpty()) {
            throw new DeviceException(
                    Errno.EOPNOTSUPP, id + " lacks the admin commands " + String.join(", ", missing));
        }
    }
}
