// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.run;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.emulator.guest.GuestRam;
import dev.ferry.migration.GuestMemory;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.List;
import org.junit.jupiter.api.Test;

class MachineTrackerTest {

    private static final int PAGE = 4096;
    /** No multiple of 64 pages, so that banks begin within a word of the bitmap. */
    private static final int BANK_PAGES = 70;

    private final GuestRam first = new GuestRam(0x10000, ByteBuffer.allocate(BANK_PAGES * PAGE));
    private final GuestRam second = new GuestRam(0x10000 + BANK_PAGES * PAGE, ByteBuffer.allocate(BANK_PAGES * PAGE));
    private final GuestMemory memory = new MachineMemory(List.of(first, second));
    private final DirtyTracker tracker = memory.dirtyTracker().orElseThrow();

    private BitSet report(IovaRange range, byte before) throws DeviceException {
        ByteBuffer bitmap = ByteBuffer.allocate(32).position(8);
        bitmap.put(8, before);
        tracker.reportAndClear(range, bitmap);
        assertThat(bitmap.position()).isEqualTo(8);
        return BitSet.valueOf(bitmap);
    }

    @Test
    void shouldReportTheWritesOfAllBanksWhereTheyAreInTheRange() throws Exception {
        IovaRange all = new IovaRange(0x10000, 2L * BANK_PAGES * PAGE);
        tracker.start(PAGE, List.of(all));
        memory.write(0x10000 + 3 * PAGE, ByteBuffer.allocate(1));
        memory.write(0x10000 + 69 * PAGE + 5, ByteBuffer.allocate(1));
        memory.write(0x10000 + 70 * PAGE, ByteBuffer.allocate(PAGE + 1));
        memory.write(0x10000 + 139 * PAGE, ByteBuffer.allocate(1));

        assertThat(report(all, (byte) 2).stream()).containsExactly(1, 3, 69, 70, 71, 139);
        assertThat(report(all, (byte) 0).stream()).isEmpty();
        memory.write(0x10000 + 72 * PAGE, ByteBuffer.allocate(1));
        assertThat(report(new IovaRange(0x10000 + 64 * PAGE, 64 * PAGE), (byte) 0).stream()).containsExactly(8);
        tracker.stop();
        assertThatThrownBy(() -> report(all, (byte) 0)).isInstanceOf(DeviceException.class);
    }

    @Test
    void shouldBeginNowhereAndEndNothingWhenOneBankIsBusy() throws Exception {
        IovaRange all = new IovaRange(0x10000, 2L * BANK_PAGES * PAGE);
        DirtyTracker busy = second.dirtyTracker().orElseThrow();
        IovaRange itsBank = new IovaRange(second.base(), second.size());
        busy.start(PAGE, List.of(itsBank));

        assertThatThrownBy(() -> tracker.start(PAGE, List.of(all)))
                .isInstanceOfSatisfying(DeviceException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY));
        busy.reportAndClear(itsBank, ByteBuffer.allocate(16));
        busy.stop();
        tracker.start(PAGE, List.of(all));
        tracker.stop();
    }

    @Test
    void shouldGoOnWithItsPagesWhenItIsStartedTwice() throws Exception {
        IovaRange all = new IovaRange(0x10000, 2L * BANK_PAGES * PAGE);
        tracker.start(PAGE, List.of(all));
        assertThatThrownBy(() -> tracker.start(16 * PAGE, List.of(all)))
                .isInstanceOfSatisfying(DeviceException.class, e -> assertThat(e.errno()).isEqualTo(Errno.EBUSY));
        memory.write(0x10000 + 3 * PAGE, ByteBuffer.allocate(1));
        assertThat(report(all, (byte) 0).stream()).containsExactly(3);
        tracker.stop();
    }

    @Test
    void shouldRefuseAddressesOutsideItsBanks() {
        assertThatThrownBy(() -> memory.read(0x9000, ByteBuffer.allocate(1))).hasMessageContaining("0x9000");
        assertThat(memory.ranges()).containsExactly(
                new IovaRange(0x10000, BANK_PAGES * PAGE), new IovaRange(second.base(), BANK_PAGES * PAGE));
    }
}
