// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.plain;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.DmaSpace;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** A device that is driven by the legacy commands: a frame through its transmit queue, and what stops it. */
class LegacyTransmitTest extends LegacyFixture {

    private static final long MEMORY_BASE = 0x10_0000;
    private final ByteBuffer memory = ByteBuffer.allocate(0x2_0000).order(ByteOrder.LITTLE_ENDIAN);

    /** A frame through the transmit queue, with the header of 10 bytes; returns what the network got. */
    private List<String> transmit(Runnable notification) {
        List<String> sent = new ArrayList<>();
        owner.port(1).connect(frame -> {
            byte[] bytes = new byte[frame.remaining()];
            frame.get(bytes);
            sent.add(Bench.hex(bytes));
        });
        DmaSpace dma = new DmaSpace();
        dma.map(MEMORY_BASE, memory, DmaSpace.Access.READ_WRITE);
        function.attach(dma, (vector, address, data) -> {});
        function.writeConfig(4, 2, 6);
        expectWritten(COMMON_WRITE, 18, "03");
        expectWritten(COMMON_WRITE, 4, "00000000");
        expectWritten(COMMON_WRITE, 14, "0100");
        expectWritten(COMMON_WRITE, 8, "00010000");
        expectWritten(COMMON_WRITE, 18, "07");
        memory.put(0x8000, new byte[10]).put(0x800a, Bench.bytes("ffffffffffff 020000000001 88b5" + "5a".repeat(46)));
        memory.putLong(0, MEMORY_BASE + 0x8000).putInt(8, 70).putShort(12, (short) 0);
        memory.putShort(0x1004, (short) 0).putShort(0x1002, (short) 1);
        notification.run();
        return sent;
    }

    @Test
    void shouldTransmitBehindAHeaderOfTenBytesWhenQueueNotifyIsWritten() {
        List<String> sent = transmit(() -> expectWritten(COMMON_WRITE, 16, "0100"));
        assertThat(sent).containsExactly(plain("ffffffffffff 020000000001 88b5" + "5a".repeat(46)));
        assertThat(memory.getShort(0x2002)).as("used index, on its page").isEqualTo((short) 1);
        expectRead(COMMON_READ, 19, "01");
        expectRead(COMMON_READ, 19, "00");
    }

    @Test
    void shouldTransmitWhenTheQueueIndexIsWrittenToTheNotificationAddress() {
        List<String> sent = transmit(() -> {
            function.writeBar(2, 0x3800, 4, 1);
            function.writeBar(2, 0x3800, 1, 1);
            function.writeBar(2, 0x3800, 2, 0);
            assertThat(memory.getShort(0x2002)).isZero();
            function.writeBar(2, 0x3800, 2, 1);
        });
        assertThat(sent).hasSize(1);
    }

    @Test
    void shouldStayWithTenBytesWhenFeaturesAreChangedAfterwards() {
        List<String> sent = transmit(() -> {
            expectWritten(COMMON_WRITE, 4, "00800000");
            expectWritten(COMMON_WRITE, 16, "0100");
        });
        assertThat(sent).containsExactly(plain("ffffffffffff 020000000001 88b5" + "5a".repeat(46)));
    }

    @Test
    void shouldForgetEverythingWhenTheFunctionIsReset() throws Exception {
        transmit(() -> expectWritten(COMMON_WRITE, 16, "0100"));
        expectWritten(DEV_WRITE, 0, "020102030405");
        owner.resetFunction(1);
        expectRead(COMMON_READ, 18, "00");
        expectRead(COMMON_READ, 8, "00000000");
        expectRead(COMMON_READ, 14, "0000");
        expectRead(COMMON_READ, 19, "00");
        expectRead(DEV_READ, 0, mac());
        assertThat(transmit(() -> expectWritten(COMMON_WRITE, 16, "0100"))).as("index 0 again").isEmpty();
    }

    @Test
    void shouldClearTheIsrWhenTheDriverResetsTheDevice() {
        transmit(() -> expectWritten(COMMON_WRITE, 16, "0100"));
        expectWritten(COMMON_WRITE, 18, "00");
        expectRead(COMMON_READ, 19, "00");
        expectRead(COMMON_READ, 8, "00000000");
    }

    @Test
    void shouldNotTouchMemoryWhileTheMemberIsStopped() {
        List<String> sent = transmit(() -> {
            assertThat(execute(Bench.toMember(0x11, 1, "01"), 8)).isEqualTo(plain(OK));
            expectWritten(COMMON_WRITE, 16, "0100");
        });
        assertThat(sent).isEmpty();
        assertThat(memory.getShort(0x2002)).isZero();
        assertThat(execute(Bench.toMember(0x11, 1, "00"), 8)).isEqualTo(plain(OK));
        assertThat(sent).hasSize(1);
    }
}
