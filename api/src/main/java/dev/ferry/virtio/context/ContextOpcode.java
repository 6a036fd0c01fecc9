// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context;

import java.util.Optional;

/**
 * The commands of the set, by opcode; all go to members of the SR-IOV group.
 *
 * <p>The block 0x0100 to 0x01FF lies where virtio 1.4 leaves opcodes free, so that no number means two things. A device
 * supports the commands up to {@link #V1_DEV_CTX_DISCARD} all or not at all, and so the four of write records.
 */
public enum ContextOpcode {
    /** Asks for the mode; result {@link DeviceMode}. */
    V1_DEV_MODE_GET(0x0107),
    /** Sets the mode; data {@link DeviceMode}. */
    V1_DEV_MODE_SET(0x0108),
    /** Asks for the size of the context; {@link ContextLayout}. */
    V1_DEV_CTX_SIZE_GET(0x0109),
    /** Reads the next bytes of the context; their number is the command-specific output. */
    V1_DEV_CTX_READ(0x010a),
    /** Writes the next bytes of a context; every byte counts, so there is no padding. */
    V1_DEV_CTX_WRITE(0x010b),
    /** Asks which fields the device knows; {@link ContextLayout}. */
    V1_DEV_CTX_FIELDS_QUERY(0x010c),
    /** Drops what is being read and what was written. */
    V1_DEV_CTX_DISCARD(0x010d),
    /** Asks how writes can be recorded; result {@link WriteRecordCapability}. */
    V1_WRITE_RECORD_CAP_QUERY(0x010e),
    /** Begins to record writes; {@link WriteRecordLayout}. */
    V1_WRITE_RECORD_START(0x010f),
    /** Ends recording. */
    V1_WRITE_RECORD_STOP(0x0110),
    /** Reads and clears records; {@link WriteRecordLayout}. */
    V1_WRITE_RECORD_READ(0x0111);

    private final int number;

    ContextOpcode(int number) {
        this.number = number;
    }

    /** The opcode, unsigned 16 bits; also the number of its bit in the lists of LIST_QUERY and LIST_USE. */
    public int number() {
        return number;
    }

    /** Whether the command is one of the four of write records. */
    public boolean isWriteRecord() {
        return number >= V1_WRITE_RECORD_CAP_QUERY.number;
    }

    /** The command of an opcode; empty for one of another set. */
    public static Optional<ContextOpcode> ofNumber(int number) {
        int index = number - V1_DEV_MODE_GET.number;
        ContextOpcode[] opcodes = values();
        return index < 0 || index >= opcodes.length ? Optional.empty() : Optional.of(opcodes[index]);
    }
}
