// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.driver;

import dev.ferry.conformance.harness.Hex;
import dev.ferry.virtio.FunctionAccess;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;

/** The PCI function of the only member, as a table of bytes, behind the queue of its owner; records writes to BARs. */
final class ScriptedFunctions extends ScriptedQueue implements FunctionAccess {

    /** Where the MSI-X capability is. */
    static final int MSIX = 0x40;
    /** The only BARs. */
    static final int BAR = 2;
    static final long BAR_BYTES = 0x1000;

    private static final int COMMAND = 0x04;

    private final byte[] config = new byte[256];
    private final List<String> writes = Collections.synchronizedList(new ArrayList<>());

    ScriptedFunctions(StrictOwner device) {
        super(device);
        put(0x00, Hex.le16(0x1AF4) + Hex.le16(0x1041));
        put(COMMAND, Hex.le16(0x0006));
        put(0x34, Hex.u8(MSIX));
        put(MSIX, "11 00 0200");
    }

    private void put(int offset, String hex) {
        byte[] bytes = Hex.bytes(hex);
        System.arraycopy(bytes, 0, config, offset, bytes.length);
    }

    /** Turns MSI-X on or off. */
    void msix(boolean on) {
        put(MSIX + 2, on ? "0280" : "0200");
    }

    /** Every write to a BAR so far. */
    List<String> writes() {
        return List.copyOf(writes);
    }

    @Override
    public long readConfig(long groupMemberId, int offset, int size) {
        return Hex.number(config, offset, size);
    }

    @Override
    public void writeConfig(long groupMemberId, int offset, int size, long value) {
        if (offset == COMMAND) {
            put(COMMAND, Hex.le16((int) value & 0x0006));
        }
    }

    @Override
    public long barSize(long groupMemberId, int bar) {
        return bar == BAR ? BAR_BYTES : 0;
    }

    @Override
    public void writeBar(long groupMemberId, int bar, long offset, int size, long value) {
        writes.add("member %d BAR %d 0x%x/%d = %d".formatted(groupMemberId, bar, offset, size, value));
    }
}
