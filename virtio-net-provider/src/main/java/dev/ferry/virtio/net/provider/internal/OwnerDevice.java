// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.stream.RecordDevice;
import dev.ferry.virtio.FunctionDirtyTracking;
import dev.ferry.virtio.FunctionReset;
import dev.ferry.virtio.driver.command.AdminChannel;
import java.util.BitSet;
import java.util.Optional;

/**
 * An owner device whose members can be migrated: its set-up is done. Thread-safe.
 *
 * @param id of the owner device
 * @param channel executes its commands
 * @param ids of device parts objects
 * @param lost objects that it may still have without a session
 * @param opcodesInUse a bit per opcode that LIST_USE put in use for the members; not changed any more
 * @param functionReset resets a member, where the owner's queue service can
 * @param dirtyTracking tells what a member writes, where the owner's queue service can
 */
record OwnerDevice(
        String id,
        AdminChannel channel,
        ObjectIds ids,
        LostObjects lost,
        BitSet opcodesInUse,
        Optional<FunctionReset> functionReset,
        Optional<FunctionDirtyTracking> dirtyTracking) {

    /** Whether a record type may send a command to members: it is a vendor's, known here, and reported by the owner. */
    boolean takesVendorOpcode(int opcode) {
        return opcode >= RecordDevice.FIRST_VENDOR_OPCODE && opcodesInUse.get(opcode);
    }
}
