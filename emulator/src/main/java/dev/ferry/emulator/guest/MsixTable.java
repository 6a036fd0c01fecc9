// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import dev.ferry.emulator.control.PciFunction;
import java.io.IOException;

/**
 * The MSI-X capability of a function and the table it points to. Not thread-safe.
 *
 * @see <a href="https://github.com/torvalds/linux/blob/master/include/uapi/linux/pci_regs.h">Linux, pci_regs.h,
 *     "MSI-X registers"</a>
 */
final class MsixTable {

    /** Bytes of one table entry. */
    static final int ENTRY_BYTES = 16;

    private static final int CAP_ID_MSIX = 0x11;
    private static final int CAP_CONTROL = 2;
    private static final int CAP_TABLE = 4;
    private static final int CONTROL_SIZE_MASK = 0x7FF;
    private static final int CONTROL_ENABLE = 0x8000;
    private static final int TABLE_BAR_MASK = 0x7;

    private static final int ENTRY_DATA = 8;
    private static final int ENTRY_CONTROL = 12;
    private static final long MESSAGE_ADDRESS = 0xFEE0_0000L;

    private final PciFunction function;
    private final PciConfig config;
    private final int capability;
    private final BarRegion table;

    private MsixTable(PciFunction function, PciConfig config, int capability, BarRegion table) {
        this.function = function;
        this.config = config;
        this.capability = capability;
        this.table = table;
    }

    /** Finds it by the capability list. */
    static MsixTable find(PciFunction function) throws IOException {
        PciConfig config = new PciConfig(function);
        int capability = config.capability(CAP_ID_MSIX)
                .orElseThrow(() -> new IOException(function.id() + " has no MSI-X capability"));
        int table = config.read(capability + CAP_TABLE, Integer.BYTES);
        return new MsixTable(function, config, capability, new BarRegion(
                table & TABLE_BAR_MASK, Integer.toUnsignedLong(table & ~TABLE_BAR_MASK)));
    }

    /** Number of entries. */
    int size() {
        return (control() & CONTROL_SIZE_MASK) + 1;
    }

    /** Message Control. */
    int control() {
        return config.read(capability + CAP_CONTROL, Short.BYTES);
    }

    void control(int value) {
        config.write(capability + CAP_CONTROL, Short.BYTES, value);
    }

    /** Gives every vector a message with its own number, and lets them come. */
    void enable() {
        for (int vector = 0; vector < size(); vector++) {
            write(vector, 0, (int) MESSAGE_ADDRESS);
            write(vector, Integer.BYTES, (int) (MESSAGE_ADDRESS >>> Integer.SIZE));
            write(vector, ENTRY_DATA, vector);
            write(vector, ENTRY_CONTROL, 0);
        }
        control(control() | CONTROL_ENABLE);
    }

    /** Lets none come. */
    void disable() {
        control(control() & ~CONTROL_ENABLE);
    }

    /** A word of an entry, by its offset. */
    int read(int vector, int offset) {
        return (int) function.readBar(table.bar(), at(vector, offset), Integer.BYTES);
    }

    void write(int vector, int offset, int value) {
        function.writeBar(table.bar(), at(vector, offset), Integer.BYTES, Integer.toUnsignedLong(value));
    }

    private long at(int vector, int offset) {
        return table.offset() + (long) vector * ENTRY_BYTES + offset;
    }
}
