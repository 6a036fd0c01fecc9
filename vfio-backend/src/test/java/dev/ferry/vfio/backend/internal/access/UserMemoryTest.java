// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.ferry.device.DeviceException;
import dev.ferry.device.DeviceMemory.Mapping;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.vfio.backend.internal.access.DeviceOpener.Way;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.fake.InterceptedCalls;
import dev.ferry.vfio.backend.internal.fake.Request;
import java.lang.foreign.Arena;
import java.lang.foreign.MemorySegment;
import java.lang.ref.WeakReference;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.Semaphore;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.EnumSource;
import org.slf4j.LoggerFactory;

/** Memory of this process that a device reaches which was opened here, in both ways to a device. */
class UserMemoryTest {
    private static final String FIRST = "0000:3b:00.2";
    private static final String SECOND = "0000:3b:00.3";
    private static final int PAGE = 4096;
    private static final long IOVA = 0x10000000L;

    @TempDir
    private Path folder;

    private FakeHost host;
    private DeviceOpener opener;
    private final List<OpenDevice> open = new ArrayList<>();

    @BeforeEach
    void makeHost() throws Exception {
        host = new FakeHost(folder);
        host.pci(FIRST, "virtio_vfio_pci", "12");
        host.pci(SECOND, "virtio_vfio_pci", "12");
        host.cdev(FIRST, "pci", "vfio0");
        host.cdev(SECOND, "pci", "vfio1");
        opener = new DeviceOpener(host.kernel, host.root);
    }

    @AfterEach
    void shouldLeaveNothing() {
        open.forEach(OpenDevice::close);
        assertThat(host.kernel.openFiles()).isZero();
        assertThat(host.mapped).isEmpty();
    }

    private UserMemory memory(String name, Way way) throws Exception {
        OpenDevice device = opener.open(host.found(name), name, way);
        open.add(device);
        return device.memory().orElseThrow().get();
    }

    private static ByteBuffer pages(int count) {
        return ByteBuffer.allocateDirect((count + 1) * PAGE).alignedSlice(PAGE).limit(count * PAGE);
    }

    private static DeviceException assertErrno(Errno errno, ThrowingCallable call) {
        return assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno))
                .actual();
    }

    @ParameterizedTest
    @CsvSource({"GROUP, 3, 1", "CDEV, 7, 5"})
    void shouldLetTheDeviceReachMemoryUntilTheMappingIsClosed(Way way, int writable, int readOnly) throws Exception {
        UserMemory memory = memory(FIRST, way);
        ByteBuffer buffer = pages(3).position(PAGE);

        Mapping mapping = memory.map(IOVA, buffer);
        Mapping rom = memory.map(0, pages(1).asReadOnlyBuffer());

        assertThat(mapping.range()).isEqualTo(new IovaRange(IOVA, 2 * PAGE));
        assertThat(host.mapped.get(IOVA)).isEqualTo(
                new FakeHost.Mapping(2 * PAGE, MemorySegment.ofBuffer(buffer).address(), writable));
        assertThat(host.mapped.get(0L).flags()).isEqualTo(readOnly);
        mapping.close();
        mapping.close();
        assertThat(host.mapped).containsOnlyKeys(0L);
        rom.close();
        Mapping again = memory.map(IOVA, buffer);
        rom.close();
        assertThat(host.mapped).as("an end that came before takes nothing").containsOnlyKeys(IOVA);
        again.close();
    }

    @ParameterizedTest
    @EnumSource(names = {"GROUP", "CDEV"})
    void shouldTakeAllOfAUserWhoGivesItBackAndNothingOfOthers(Way way) throws Exception {
        UserMemory first = memory(FIRST, way);
        UserMemory sameDevice = open.get(0).memory().orElseThrow().get();
        UserMemory second = memory(SECOND, way);
        Mapping early = first.map(0, pages(1));
        first.map(PAGE, pages(1));
        sameDevice.map(2 * PAGE, pages(1));
        second.map(3 * PAGE, pages(1));
        early.close();

        first.close();
        first.close();

        assertThat(host.mapped).containsOnlyKeys(2L * PAGE, 3L * PAGE);
        assertThat(assertErrno(Errno.ENODEV, () -> first.map(0, pages(1)))).hasMessageContaining(FIRST);
        sameDevice.close();
        assertThat(host.mapped).containsOnlyKeys(3L * PAGE);
    }

    @ParameterizedTest
    @EnumSource(names = {"GROUP", "CDEV"})
    void shouldEndWithItsDeviceWhateverIsStillMapped(Way way) throws Exception {
        UserMemory memory = memory(FIRST, way);
        Mapping mapping = memory.map(0, pages(1));
        memory.map(PAGE, pages(1));
        open.get(0).close();
        assertThat(host.mapped).isEmpty();

        mapping.close();
        memory.close();
    }

    @Test
    void shouldSayWhatIsWrongWithABuffer() throws Exception {
        UserMemory memory = memory(FIRST, Way.GROUP);

        for (long iova : new long[] {1, PAGE - 1, -PAGE, Long.MIN_VALUE}) {
            assertThat(assertErrno(Errno.EINVAL, () -> memory.map(iova, pages(1))))
                    .hasMessageContaining("must be multiples of 4096, the host's page size, the address 0 or more, "
                            + "the length more than 0, and their sum below 2^63");
        }
        assertThat(assertErrno(Errno.EINVAL, () -> memory.map(IOVA, pages(1).limit(PAGE - 1))))
                .hasMessageContaining("0x10000000 and 4095 bytes cannot be mapped");
        assertErrno(Errno.EINVAL, () -> memory.map(IOVA, pages(1).limit(0)));
        assertErrno(Errno.EINVAL, () -> memory.map(Long.MAX_VALUE - PAGE + 1, pages(1)));
        assertThat(assertErrno(Errno.EINVAL, () -> memory.map(IOVA, ByteBuffer.allocate(PAGE))))
                .hasMessageContaining("cannot reach the heap");
        assertThat(assertErrno(Errno.EINVAL, () -> memory.map(IOVA, pages(2).position(8).limit(PAGE + 8))))
                .hasMessageContaining("does not begin at a page of 4096 bytes");
        assertThat(host.kernel.asked).doesNotContain(Request.MAP_DMA);
        assertThat(host.mapped).isEmpty();
    }

    @Test
    void shouldNotMapMemoryOfAClosedArena() throws Exception {
        UserMemory memory = memory(FIRST, Way.GROUP);
        ByteBuffer freed;
        try (Arena arena = Arena.ofShared()) {
            freed = arena.allocate(PAGE, PAGE).asByteBuffer();
            memory.map(IOVA, freed).close();
        }

        assertThat(assertErrno(Errno.EINVAL, () -> memory.map(IOVA, freed))).hasMessageContaining("arena is closed");
        assertThat(host.mapped).isEmpty();
    }

    /** Without a reference to the user's memory, or to the mapping. */
    private WeakReference<ByteBuffer> mappedAndRefused(Way way) throws Exception {
        UserMemory memory = memory(FIRST, way);
        ByteBuffer buffer = ByteBuffer.allocateDirect(2 * PAGE);
        memory.map(IOVA, buffer.alignedSlice(PAGE).limit(PAGE));
        memory.close();
        return new WeakReference<>(buffer);
    }

    @ParameterizedTest
    @CsvSource({"GROUP, UNMAP_DMA", "CDEV, IOAS_UNMAP"})
    void shouldKeepMemoryThatTheDeviceReachesStill(Way way, Request request) throws Exception {
        host.kernel.refuse(request, 12);

        WeakReference<ByteBuffer> buffer = mappedAndRefused(way);
        System.gc();

        assertThat(host.mapped).containsOnlyKeys(IOVA);
        assertThat(buffer.get()).isNotNull();
    }

    @ParameterizedTest
    @EnumSource(names = {"GROUP", "CDEV"})
    void shouldKeepNoMemoryThatNoDeviceReaches(Way way) throws Exception {
        WeakReference<ByteBuffer> buffer = mappedAndRefused(way);
        System.gc();

        assertThat(buffer.get()).isNull();
    }

    @Test
    void shouldEndAllOtherMappingsBehindAnError() throws Exception {
        AtomicInteger unmapped = new AtomicInteger();
        opener = new DeviceOpener(InterceptedCalls.of(host.kernel, (call, arguments) -> {
            if (call.equals("ioctl") && arguments[1].equals(0x3B72) && unmapped.getAndIncrement() == 1) {
                throw new OutOfMemoryError("told to fail");
            }
            return null;
        }), host.root);
        UserMemory memory = memory(FIRST, Way.GROUP);
        for (long page = 0; page < 4; page++) {
            memory.map(page * PAGE, pages(1));
        }

        assertThatExceptionOfType(OutOfMemoryError.class).isThrownBy(memory::close);

        assertThat(host.mapped).hasSize(1);
        memory.close();
    }

    @ParameterizedTest
    @EnumSource(names = {"GROUP", "CDEV"})
    void shouldSayThatAnAddressIsMappedForAnotherDeviceOfTheGroup(Way way) throws Exception {
        memory(FIRST, way).map(IOVA, pages(2));

        assertThat(assertErrno(Errno.EEXIST, () -> memory(SECOND, way).map(IOVA + PAGE, pages(1))))
                .hasMessageContaining("for this device or another one of its IOMMU group: close that mapping first");
    }

    @ParameterizedTest
    @CsvSource({
        "GROUP, MAP_DMA, 12, ENOMEM, RLIMIT_MEMLOCK", "CDEV, IOAS_MAP, 12, ENOMEM, RLIMIT_MEMLOCK",
        "GROUP, MAP_DMA, 22, EINVAL, reserved_regions", "CDEV, IOAS_MAP, 22, EINVAL, reserved_regions",
        "GROUP, MAP_DMA, 28, ENOSPC, dma_entry_limit", "CDEV, IOAS_MAP, 14, EFAULT, the memory is not there"})
    void shouldSayWhatToDoWhenTheKernelRefuses(Way way, Request request, int number, Errno errno, String advice)
            throws Exception {
        UserMemory memory = memory(FIRST, way);
        host.kernel.refuse(request, number);

        assertThat(assertErrno(errno, () -> memory.map(IOVA, pages(1))))
                .hasMessageStartingWith(FIRST + " cannot reach 4096 bytes at 0x10000000: ")
                .hasMessageContaining("group 12").hasMessageContaining(advice).hasMessageNotContaining("GROUP");

        host.kernel.refuse(request, 0);
        memory.map(IOVA, pages(1)).close();
    }

    @Test
    void shouldBoundTheMappingsOfOneUser() throws Exception {
        UserMemory memory = memory(FIRST, Way.GROUP);
        ByteBuffer page = pages(1);
        Mapping first = memory.map(0, page);
        for (long i = 1; i < UserMemory.MOST_MAPPINGS; i++) {
            memory.map(i * PAGE, page);
        }

        assertThat(assertErrno(Errno.ENOSPC, () -> memory.map(IOVA, page))).hasMessageContaining("close some");

        first.close();
        memory.map(IOVA, page);
        memory.close();
    }

    @ParameterizedTest
    @CsvSource({"GROUP, 0x3B71", "CDEV, 0x3B85"})
    @Timeout(value = 60, unit = TimeUnit.SECONDS, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void shouldTakeWhatIsBeingMappedWhenItsUserGivesItBack(Way way, String map) throws Exception {
        CountDownLatch asked = new CountDownLatch(1);
        Semaphore answer = new Semaphore(0);
        opener = new DeviceOpener(InterceptedCalls.of(host.kernel, (call, arguments) -> {
            if (call.equals("ioctl") && arguments[1].equals(Integer.decode(map))) {
                asked.countDown();
                answer.acquireUninterruptibly();
            }
            return null;
        }), host.root);
        UserMemory memory = memory(FIRST, way);
        FutureTask<Mapping> mapping = new FutureTask<>(() -> memory.map(IOVA, pages(1)));
        new Thread(mapping).start();
        asked.await();

        Thread giving = new Thread(memory::close);
        giving.start();
        while (giving.getState() != Thread.State.BLOCKED && giving.isAlive()) {
            Thread.onSpinWait();
        }
        answer.release();

        assertThat(mapping.get().range().iova()).isEqualTo(IOVA);
        giving.join();
        assertThat(host.mapped).isEmpty();
    }

    @Test
    void shouldTellOnceOfAllThatStaysMapped() throws Exception {
        UserMemory memory = memory(FIRST, Way.GROUP);
        for (long page = 0; page < 3; page++) {
            memory.map(page * PAGE, pages(1));
        }
        host.kernel.refuse(Request.UNMAP_DMA, 12);
        ListAppender<ILoggingEvent> told = new ListAppender<>();
        Logger logger = (Logger) LoggerFactory.getLogger(UserMemory.class);
        told.start();
        logger.addAppender(told);
        try {
            memory.close();
        } finally {
            logger.detachAppender(told);
        }

        assertThat(told.list).extracting(ILoggingEvent::getFormattedMessage).singleElement().asString()
                .startsWith("3 mappings of memory stay for " + FIRST).endsWith("VFIO_IOMMU_UNMAP_DMA failed (ENOMEM)");
    }

    @ParameterizedTest
    @CsvSource({"GROUP, UNMAP_DMA", "CDEV, IOAS_UNMAP"})
    void shouldTellThatTheDeviceReachesMemoryStillAndTryAgain(Way way, Request request) throws Exception {
        UserMemory memory = memory(FIRST, way);
        Mapping mapping = memory.map(IOVA, pages(1));
        host.kernel.refuse(request, 12);

        assertErrno(Errno.ENOMEM, mapping::close);
        assertThat(host.mapped).containsOnlyKeys(IOVA);
        memory.close();
        assertThat(host.mapped).containsOnlyKeys(IOVA);

        host.kernel.refuse(request, 0);
        mapping.close();
        assertThat(host.mapped).isEmpty();
    }
}
