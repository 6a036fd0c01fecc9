// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.emulator.Await;
import dev.ferry.emulator.internal.net.FunctionConfig;
import dev.ferry.emulator.internal.net.VirtioNetFunction;
import dev.ferry.virtio.AdminResult;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory of a guest is copied while it runs, then only what its processor and its device wrote meanwhile. */
@Timeout(60)
class GuestTrackingTest {

    private static final long BASE = 0x1000_0000L;
    private static final int PAGE = 4096;

    private final VirtioNetFunction first = function("h1/vf1");
    private final VirtioNetFunction second = function("h2/vf1");

    private static VirtioNetFunction function(String id) {
        byte[] mac = {2, 0, 0, 0, 0, 1};
        return new VirtioNetFunction(new FunctionConfig(id, mac, 1, 256, FunctionConfig.defaultFeatures(1)));
    }

    private static BitSet harvest(DirtyTracker tracker, IovaRange range) throws DeviceException {
        ByteBuffer bitmap = ByteBuffer.allocate((int) (range.length() / PAGE + 63) / 64 * 8);
        tracker.reportAndClear(range, bitmap);
        return BitSet.valueOf(bitmap.array());
    }

    private static void assertErrno(Errno errno, ThrowingCallable call) {
        assertThatThrownBy(call)
                .isInstanceOfSatisfying(DeviceException.class, e -> assertThat(e.errno()).isEqualTo(errno));
    }

    @Test
    void shouldTellEachKindOfWriteOfTheProcessor() throws Exception {
        GuestRam ram = GuestRam.allocate(32 * PAGE);
        IovaRange all = ram.ranges().get(0);
        DirtyTracker tracker = ram.dirtyTracker().orElseThrow();
        ram.u8(BASE, 1);
        tracker.start(PAGE, ram.ranges());
        assertThat(harvest(tracker, all)).isEqualTo(bits());

        ram.u8(BASE + 2 * PAGE, 1);
        ram.u16(BASE + 4 * PAGE + 4094, 1);
        ram.u32(BASE + 6 * PAGE - 2, 1);
        ram.u64(BASE + 8 * PAGE - 1, 1);
        ram.bytes(BASE + 10 * PAGE - 1, new byte[PAGE + 2]);
        ram.clear(BASE + 20 * PAGE, 2);
        ram.write(BASE + 30 * PAGE, ByteBuffer.allocate(1));
        assertThat(harvest(tracker, all)).isEqualTo(bits(2, 4, 5, 6, 7, 8, 9, 10, 11, 20, 30));
        assertThat(harvest(tracker, all)).isEqualTo(bits());
        tracker.stop();
        ram.u8(BASE, 1);
        assertErrno(Errno.EINVAL, () -> harvest(tracker, all));
    }

    private static BitSet bits(int... pages) {
        BitSet bits = new BitSet();
        for (int page : pages) {
            bits.set(page);
        }
        return bits;
    }

    @Test
    void shouldRefuseWhatCannotBeRecorded() throws Exception {
        DirtyTracker tracker = GuestRam.allocate(32 * PAGE).dirtyTracker().orElseThrow();
        IovaRange one = new IovaRange(BASE, PAGE);
        assertErrno(Errno.EINVAL, () -> tracker.start(8192, List.of(one)));
        assertErrno(Errno.EINVAL, () -> tracker.start(PAGE, List.of()));
        assertErrno(Errno.EINVAL, () -> tracker.start(PAGE, List.of(new IovaRange(BASE, 100))));
        assertErrno(Errno.EINVAL, () -> tracker.start(PAGE, List.of(one, one)));
        assertErrno(Errno.ENOSPC, () -> tracker.start(PAGE, List.of(new IovaRange(0, 1L << 44))));
        List<IovaRange> many = new ArrayList<>();
        for (int i = 0; i < 257; i++) {
            many.add(new IovaRange(2L * i * PAGE, PAGE));
        }
        assertErrno(Errno.ENOSPC, () -> tracker.start(PAGE, many));
        tracker.start(PAGE, List.of(one));
        assertErrno(Errno.EBUSY, () -> tracker.start(PAGE, List.of(one)));
        assertErrno(Errno.EINVAL, () -> harvest(tracker, new IovaRange(BASE, 2 * PAGE)));
    }

    @Test
    void shouldShowItsMemoryWithoutACopy() throws Exception {
        GuestRam ram = GuestRam.allocate(4 * PAGE);
        ByteBuffer view = ram.view(BASE + 8, 16).orElseThrow();
        ram.u32(BASE + 20, 0x0403_0201);
        assertThat(view.remaining()).isEqualTo(16);
        assertThat(view.get(12)).isEqualTo((byte) 1);
        assertThat(view.isReadOnly()).isTrue();
        assertThatThrownBy(() -> ram.view(BASE + 8, 4 * PAGE)).isInstanceOf(IOException.class);
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldMoveWhileItRunsAndLoseNothing(boolean packed) throws Exception {
        Cable cable = new Cable().at(first).at(second);
        GuestOptions options = GuestOptions.defaults().withPacked(packed).withLoad(new MemoryLoad(200_000, 1000));
        List<ByteBuffer> sent = new ArrayList<>();
        try (VirtioNetGuest source = VirtioNetGuest.boot(first, GuestRam.allocate(), options);
                VirtioNetGuest destination = VirtioNetGuest.attach(second, GuestRam.allocate())) {
            List<DirtyTracker> trackers =
                    List.of(source.memory().dirtyTracker().orElseThrow(), first.dirtyTracker());
            IovaRange all = source.memory().ranges().get(0);
            for (DirtyTracker tracker : trackers) {
                tracker.start(PAGE, List.of(all));
            }
            copy(source, destination, all);
            for (int round = 0; round < 20; round++) {
                for (int i = 0; i < 40; i++) {
                    sent.add(Cable.frame(sent.size(), 60 + sent.size() % 2000));
                    Cable.deliver(first, sent.get(sent.size() - 1));
                }
                copyWritten(trackers, source, destination, all);
            }
            source.pause();
            first.setStopped(true);
            copyWritten(trackers, source, destination, all);
            assertSameMemory(source, destination, all);

            second.setStopped(true);
            ByteBuffer parts = ByteBuffer.allocate(first.maxPartsSize());
            assertThat(first.captureParts(null, parts)).isTrue();
            assertThat(second.loadParts(parts.flip())).isEqualTo(AdminResult.SUCCESS);
            destination.loadDeviceConfig("h2/vf1", source.saveDeviceConfig("h1/vf1"));
            second.setStopped(false);
            destination.resume();
            assertThat(cable.await(sent.size())).isEqualTo(sent);
            awaitWrites(destination, source.writtenPages() + 2000);
            destination.pause();
            assertThat(destination.failure()).isEmpty();
            assertThat(destination.lostMemory()).isEmpty();
            assertThat(harvest(trackers.get(0), all).isEmpty()).isTrue();
        }
    }

    private static void awaitWrites(VirtioNetGuest guest, long pages) {
        Await.until("the guest to write " + pages + " pages", () -> guest.writtenPages() >= pages);
    }

    private static void copyWritten(
            List<DirtyTracker> trackers, VirtioNetGuest source, VirtioNetGuest destination, IovaRange all)
            throws IOException {
        BitSet written = new BitSet();
        for (DirtyTracker tracker : trackers) {
            written.or(harvest(tracker, all));
        }
        for (int page = written.nextSetBit(0); page >= 0; page = written.nextSetBit(page + 1)) {
            copy(source, destination, new IovaRange(all.iova() + (long) page * PAGE, PAGE));
        }
    }

    private static void copy(VirtioNetGuest source, VirtioNetGuest destination, IovaRange range) throws IOException {
        destination.memory().write(
                range.iova(), source.memory().view(range.iova(), (int) range.length()).orElseThrow());
    }

    private static void assertSameMemory(VirtioNetGuest source, VirtioNetGuest destination, IovaRange all)
            throws IOException {
        ByteBuffer here = source.memory().view(all.iova(), (int) all.length()).orElseThrow();
        ByteBuffer there = destination.memory().view(all.iova(), (int) all.length()).orElseThrow();
        assertThat(here.mismatch(there)).as("first byte that differs").isEqualTo(-1);
    }

    @Test
    void shouldTellThePagesThatADeviceWrites() throws Exception {
        Cable cable = new Cable().at(first);
        try (VirtioNetGuest guest = VirtioNetGuest.boot(first, GuestRam.allocate())) {
            IovaRange all = guest.memory().ranges().get(0);
            DirtyTracker tracker = first.dirtyTracker();
            tracker.start(PAGE, List.of(all));
            assertThat(harvest(tracker, all).isEmpty()).isTrue();
            ByteBuffer before = ByteBuffer.allocate((int) all.length());
            guest.pause();
            guest.memory().read(all.iova(), before);
            for (int i = 0; i < 20; i++) {
                Cable.deliver(first, Cable.frame(i, 1000));
            }
            assertThat(cable.count()).isZero();
            BitSet written = harvest(tracker, all);
            ByteBuffer after = guest.memory().view(all.iova(), (int) all.length()).orElseThrow();
            BitSet changed = new BitSet();
            for (int at = 0; at < all.length(); at++) {
                if (before.get(at) != after.get(at)) {
                    changed.set(at / PAGE);
                }
            }
            assertThat(changed.cardinality()).isGreaterThan(5);
            BitSet untold = (BitSet) changed.clone();
            untold.andNot(written);
            assertThat(untold.isEmpty()).isTrue();
            assertThat(written.cardinality()).isLessThan(changed.cardinality() + 5);
        }
    }
}
