// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import dev.ferry.emulator.control.PciFunction;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * What the system software of a guest programmed into a function and a hypervisor carries over: command register, BARs,
 * and the MSI-X table, read and written through the function as a hypervisor does.
 *
 * <table>
 *   <caption>Layout, little-endian</caption>
 *   <tr><th>Offset</th><th>Size</th><th>Field</th></tr>
 *   <tr><td>0</td><td>4</td><td>magic</td></tr>
 *   <tr><td>4</td><td>2</td><td>PCI command register</td></tr>
 *   <tr><td>6</td><td>2</td><td>MSI-X Message Control</td></tr>
 *   <tr><td>8</td><td>4</td><td>number of MSI-X table entries</td></tr>
 *   <tr><td>12</td><td>4 each</td><td>the six BAR registers</td></tr>
 *   <tr><td>36</td><td>16 each</td><td>the MSI-X table</td></tr>
 * </table>
 */
final class DeviceConfig {

    private static final int MAGIC_VALUE = 0x4643_5031;
    private static final int MAGIC = 0;
    private static final int COMMAND = 4;
    private static final int MSIX_CONTROL = 6;
    private static final int ENTRIES = 8;
    private static final int BARS = 12;
    private static final int TABLE = BARS + PciConfig.BARS * Integer.BYTES;

    private DeviceConfig() {}

    /** Reads what the guest programmed. */
    static ByteBuffer save(PciFunction function) throws IOException {
        PciConfig config = new PciConfig(function);
        MsixTable msix = MsixTable.find(function);
        int entries = msix.size();
        ByteBuffer saved = ByteBuffer.allocate(TABLE + entries * MsixTable.ENTRY_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(MAGIC, MAGIC_VALUE)
                .putShort(COMMAND, (short) config.read(PciConfig.COMMAND, Short.BYTES))
                .putShort(MSIX_CONTROL, (short) msix.control())
                .putInt(ENTRIES, entries);
        for (int at = 0; at < PciConfig.BARS * Integer.BYTES; at += Integer.BYTES) {
            saved.putInt(BARS + at, config.read(PciConfig.BASE_ADDRESS_0 + at, Integer.BYTES));
        }
        for (int entry = 0; entry < entries; entry++) {
            for (int word = 0; word < MsixTable.ENTRY_BYTES; word += Integer.BYTES) {
                saved.putInt(TABLE + entry * MsixTable.ENTRY_BYTES + word, msix.read(entry, word));
            }
        }
        return saved;
    }

    /**
     * Programs a function alike. One with more interrupt vectors will do: the guest uses those it knows.
     *
     * @throws IOException when it is not the configuration of a function like this one; nothing was written
     */
    static void load(PciFunction function, ByteBuffer from) throws IOException {
        ByteBuffer saved = from.slice().order(ByteOrder.LITTLE_ENDIAN);
        MsixTable msix = MsixTable.find(function);
        int most = msix.size();
        int entries = saved.remaining() < TABLE ? -1 : saved.getInt(ENTRIES);
        if (entries < 0
                || entries > most
                || saved.remaining() != TABLE + entries * MsixTable.ENTRY_BYTES
                || saved.getInt(MAGIC) != MAGIC_VALUE) {
            throw new IOException("the saved device configuration is not one of a function like " + function.id()
                    + " with " + most + " interrupt vectors");
        }
        PciConfig config = new PciConfig(function);
        int command = Short.toUnsignedInt(saved.getShort(COMMAND));
        // The table is behind a BAR, and the bus is given last, when all is in place.
        config.write(PciConfig.COMMAND, Short.BYTES, command & ~PciConfig.COMMAND_MASTER | PciConfig.COMMAND_MEMORY);
        for (int at = 0; at < PciConfig.BARS * Integer.BYTES; at += Integer.BYTES) {
            config.write(PciConfig.BASE_ADDRESS_0 + at, Integer.BYTES, Integer.toUnsignedLong(saved.getInt(BARS + at)));
        }
        for (int entry = 0; entry < entries; entry++) {
            for (int word = 0; word < MsixTable.ENTRY_BYTES; word += Integer.BYTES) {
                msix.write(entry, word, saved.getInt(TABLE + entry * MsixTable.ENTRY_BYTES + word));
            }
        }
        msix.control(Short.toUnsignedInt(saved.getShort(MSIX_CONTROL)));
        config.write(PciConfig.COMMAND, Short.BYTES, command);
        from.position(from.limit());
    }
}
