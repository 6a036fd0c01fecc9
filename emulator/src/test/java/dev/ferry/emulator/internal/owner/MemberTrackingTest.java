// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.emulator.control.DmaSpace;
import java.nio.ByteBuffer;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

class MemberTrackingTest {

    private static final List<IovaRange> MEMORY = List.of(new IovaRange(0x1000_0000L, 0x10_0000));

    private static OwnerDevice owner(AdapterSettings settings) {
        return new OwnerDevice(settings, new VirtioNetMembers(settings));
    }

    private static void assertErrno(Errno errno, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(DeviceException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Test
    void shouldTrackEachMemberByItselfAndThroughItsResets() throws Exception {
        try (OwnerDevice owner = owner(Bench.settings(2, false))) {
            DirtyTracker first = owner.dirtyTracker(1).orElseThrow();
            DirtyTracker second = owner.dirtyTracker(2).orElseThrow();
            assertThat(first.capabilities().pageSizes()).isEqualTo(0x21_1000);
            first.start(4096, MEMORY);
            second.start(4096, MEMORY);
            owner.resetFunction(1);
            assertErrno(Errno.EBUSY, () -> first.start(4096, MEMORY));
            first.stop();
            first.stop();
            assertErrno(Errno.EINVAL, () -> first.reportAndClear(MEMORY.get(0), ByteBuffer.allocate(32)));
            second.reportAndClear(MEMORY.get(0), ByteBuffer.allocate(32));
        }
    }

    @Test
    void shouldFailForMembersThatAreNotThere() throws Exception {
        OwnerDevice owner = owner(Bench.settings(2, false));
        DirtyTracker second = owner.dirtyTracker(2).orElseThrow();
        assertErrno(Errno.ENODEV, () -> owner.dirtyTracker(3).orElseThrow().start(4096, MEMORY));
        second.start(4096, MEMORY);
        owner.resize(1);
        assertErrno(Errno.ENODEV, second::stop);
        owner.resize(2);
        second.start(4096, MEMORY);
        owner.close();
        assertErrno(Errno.ENODEV, second::stop);
    }

    @Test
    void shouldHaveNoTrackerWhenTheHostCannotTrack() {
        try (OwnerDevice owner = owner(Adapters.of(2, 1, 256, CommandSet.PARTS, false))) {
            assertThat(owner.dirtyTracker(1)).isEmpty();
        }
    }

    @Test
    void shouldShareOneLogWithTheWriteRecordCommands() throws Exception {
        AdapterSettings settings = Adapters.of(1, 1, 256, CommandSet.CONTEXT, true);
        try (OwnerDevice owner = owner(settings)) {
            DirtyTracker tracker = owner.dirtyTracker(1).orElseThrow();
            tracker.start(4096, MEMORY);
            assertThat(owner.describe()).isNotEmpty();
            owner.function(1).attach(new DmaSpace(), (vector, address, data) -> {});
            assertThat(submit(owner, USE_CONTEXT)).startsWith("00000000");
            assertThat(submit(owner, START)).as("EBUSY").startsWith("1000");
            tracker.stop();
            assertThat(submit(owner, START)).startsWith("00000000");
            assertErrno(Errno.EBUSY, () -> tracker.start(4096, MEMORY));
        }
    }

    @Test
    void shouldNotOfferWriteRecordsWhenTheHostCannotTrack() {
        AdapterSettings settings = Adapters.of(1, 1, 256, CommandSet.CONTEXT, false);
        try (OwnerDevice owner = owner(settings)) {
            String list = submit(owner, "0000 0100 000000000000000000000000 0000000000000000");
            // Words 0 to 3, then 0x0100 to 0x013f: bits 7 to 13, not 14 to 17.
            assertThat(list.substring(16 + 4 * 16, 16 + 5 * 16)).isEqualTo("803f000000000000");
        }
    }

    /** LIST_USE of the context and write record commands, words 0 to 4. */
    private static final String USE_CONTEXT = "0100 0100 000000000000000000000000 0000000000000000"
            + "0300000000000000 0000000000000000 0000000000000000 0000000000000000 80ff030000000000";

    /** V1_WRITE_RECORD_START of 4 KiB pages, one range of 1 MiB at 0x1000_0000. */
    private static final String START = "0f01 0100 000000000000000000000000 0100000000000000"
            + "0010000000000000 01000000 00000000 0000000000000000 0000001000000000 0000100000000000";

    private static String submit(OwnerDevice owner, String readable) {
        byte[] answer = new byte[64];
        owner.submit(
                        new ByteBuffer[] {ByteBuffer.wrap(Bench.bytes(readable))},
                        new ByteBuffer[] {ByteBuffer.wrap(answer)})
                .toCompletableFuture()
                .join();
        return Bench.hex(answer);
    }
}
