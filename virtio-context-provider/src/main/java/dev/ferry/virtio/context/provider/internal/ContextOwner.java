// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context.provider.internal;

import dev.ferry.stream.RecordDevice;
import dev.ferry.virtio.FunctionReset;
import dev.ferry.virtio.context.ContextOpcode;
import dev.ferry.virtio.context.WriteRecordCapability;
import dev.ferry.virtio.driver.command.AdminChannel;
import java.util.BitSet;
import java.util.Optional;

/**
 * An owner device whose set-up is done. Thread-safe.
 *
 * @param id of the owner device
 * @param channel executes its commands
 * @param opcodesInUse a bit per opcode that LIST_USE put in use for the members; not changed any more
 * @param writeRecords how the device records which pages its members write; empty when it does not
 * @param functionReset resets a member, where the owner's queue service can
 */
record ContextOwner(
        String id,
        AdminChannel channel,
        BitSet opcodesInUse,
        Optional<WriteRecordCapability> writeRecords,
        Optional<FunctionReset> functionReset) {

    /** Whether a record type may send a command to members: it is a vendor's, known here, and reported by the owner. */
    boolean takesVendorOpcode(int opcode) {
        return opcode >= RecordDevice.FIRST_VENDOR_OPCODE
                && ContextOpcode.ofNumber(opcode).isEmpty()
                && opcodesInUse.get(opcode);
    }
}
