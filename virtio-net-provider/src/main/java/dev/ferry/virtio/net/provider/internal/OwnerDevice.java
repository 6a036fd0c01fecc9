// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.virtio.FunctionReset;
import java.util.Optional;

/**
 * An owner device whose members can be migrated: its set-up is done. Thread-safe.
 *
 * @param id of the owner device
 * @param channel executes its commands
 * @param ids of device parts objects
 * @param opcodesInUse a bit per opcode that LIST_USE put in use for the members
 * @param functionReset resets a member, where the owner's queue service can
 */
record OwnerDevice(
        String id, AdminChannel channel, ObjectIds ids, long opcodesInUse, Optional<FunctionReset> functionReset) {

    /** Whether a command may be sent to members. */
    boolean isInUse(int opcode) {
        return opcode >= 0 && opcode < Long.SIZE && (opcodesInUse & 1L << opcode) != 0;
    }
}
