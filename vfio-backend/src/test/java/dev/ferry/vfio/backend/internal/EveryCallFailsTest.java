// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.DirtyTracker;
import dev.ferry.device.Errno;
import dev.ferry.device.IovaRange;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.vfio.backend.internal.access.DeviceOpener;
import dev.ferry.vfio.backend.internal.device.KernelException;
import dev.ferry.vfio.backend.internal.dirty.DirtyTracking.Way;
import dev.ferry.vfio.backend.internal.fake.FakeHost;
import dev.ferry.vfio.backend.internal.fake.Vmm;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * A migration from the opening of two devices to their end, again and again, and each time another system call of it
 * fails: nothing stays open, nothing is recorded any more, and the error that is reported is the first.
 */
class EveryCallFailsTest {
    private static final String SOURCE = "0000:3b:00.2";
    private static final String DESTINATION = "83b8f4f2-509f-382f-3c1e-e6bfe0fa1001";
    private static final long PAGE = 4096;
    private static final IovaRange RANGE = new IovaRange(0, 64 * PAGE);
    private static final int EINTR = 4;
    /** An errno that no other part of the test gives. */
    private static final int LATER = 121;
    /** More calls than a migration makes. */
    private static final int MOST_CALLS = 2_000;

    @TempDir
    private Path folder;

    private FakeHost host;

    private FakeHost makeHost(boolean cdev) throws IOException {
        FakeHost made = new FakeHost(folder);
        made.mapPages(0, 64);
        made.pci(SOURCE, "virtio_vfio_pci", "12");
        made.mdev(DESTINATION, "mtty-2", "13");
        made.devices.get(DESTINATION).content = new byte[0];
        if (cdev) {
            made.cdev(SOURCE, "pci", "vfio0");
            made.cdev(DESTINATION, "mdev", "vfio1");
        }
        return made;
    }

    /** Closes what was opened, the last first, whatever happens. */
    private final class Run {
        private final DriverFactory factory = new DriverFactory(host.kernel, host.root);
        private final Deque<DriverFactory.Driven> opened = new ArrayDeque<>();
        private final Way way;
        private final List<String> tracking = new ArrayList<>();

        Run(Way way) {
            this.way = way;
        }

        Optional<IOException> run() {
            try {
                DriverFactory.Driven source = way == Way.DEVICE ? open(SOURCE) : take(SOURCE);
                DriverFactory.Driven destination = open(DESTINATION);
                migrate(source, destination);
                return Optional.empty();
            } catch (IOException e) {
                return Optional.of(e);
            } finally {
                opened.forEach(DriverFactory.Driven::close);
            }
        }

        /** What is closed is closed; and a way of dirty tracking that is offered and does not work is not taken. */
        boolean mayGoOnWithout(int call) {
            return tracking.stream().anyMatch(reason -> reason.contains(": it is offered, but "))
                    || host.kernel.made() <= call
                    || host.kernel.failed().equals("close");
        }

        private DriverFactory.Driven open(String name) throws IOException {
            return opened(factory.open(host.found(name), name, DeviceOpener.Way.AUTO, List.of(way), () -> 50));
        }

        private DriverFactory.Driven take(String name) throws IOException {
            return opened(factory.drive(Vmm.lend(host, name, way), List.of(way), () -> 50));
        }

        private DriverFactory.Driven opened(DriverFactory.Driven driven) {
            opened.push(driven);
            tracking.add(driven.dirtyTracking());
            return driven;
        }

        private void migrate(DriverFactory.Driven source, DriverFactory.Driven destination) throws IOException {
            Optional<DirtyTracker> tracker = source.driver().dirtyTracker();
            if (tracker.isPresent()) {
                tracker.get().start(PAGE, List.of(RANGE));
            }
            ByteBuffer buffer = ByteBuffer.allocateDirect(8192);
            SavingSession saving = (SavingSession) walk(source, Arc.RUNNING_TO_PRE_COPY);
            saving.precopyInfo();
            ResumingSession resuming = (ResumingSession) walk(destination,
                    Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP, Arc.STOP_TO_RESUMING);
            while (saving.read(buffer.clear()) > 0) {
                resuming.write(buffer.flip());
            }
            if (tracker.isPresent()) {
                tracker.get().reportAndClear(RANGE, ByteBuffer.allocate(8));
            }
            walk(source, Arc.PRE_COPY_TO_PRE_COPY_P2P, Arc.PRE_COPY_P2P_TO_STOP_COPY);
            source.driver().stopCopySize();
            while (saving.read(buffer.clear()) >= 0) {
                resuming.write(buffer.flip());
            }
            if (tracker.isPresent()) {
                tracker.get().stop();
            }
            walk(source, Arc.STOP_COPY_TO_STOP);
            walk(destination, Arc.RESUMING_TO_STOP, Arc.STOP_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_RUNNING);
            walk(source, Arc.STOP_TO_STOP_COPY);
            source.driver().reset();
        }

        private DataTransferSession walk(DriverFactory.Driven device, Arc... arcs) throws IOException {
            DataTransferSession session = null;
            for (Arc arc : arcs) {
                session = device.driver().step(arc).orElse(null);
            }
            return session;
        }
    }

    private void assertNothingIsLeft(int call) {
        assertThat(host.kernel.openFiles()).as("descriptors when call %d failed", call).isZero();
    }

    private void assertNothingIsRecorded(int call) {
        assertThat(host.trackingIsOn()).as("recording when call %d failed", call).isFalse();
        assertThat(host.devices.get(SOURCE).logging).as("logging when call %d failed", call).isFalse();
    }

    private boolean isComplete() {
        return "Bonjour".equals(new String(host.devices.get(DESTINATION).content, StandardCharsets.US_ASCII));
    }

    /** The kernel's errno of the first failure: the exception's own, or that of what caused it. */
    private static int number(Throwable error) {
        for (Throwable one = error; one != null; one = one.getCause()) {
            if (one instanceof KernelException kernel) {
                return kernel.number();
            }
        }
        return 0;
    }

    @ParameterizedTest
    @CsvSource({"5,DEVICE,false", "12,DEVICE,true", "5,CONTAINER,false", "12,IOMMUFD,true", "19,IOMMUFD,true"})
    void shouldLeaveNothingWhicheverCallFails(int errno, Way way, boolean cdev) throws Exception {
        int reported = 0;
        for (int call = 0; call < MOST_CALLS; call++) {
            host = makeHost(cdev);
            host.kernel.fail(call, errno, 0);
            Run run = new Run(way);
            Optional<IOException> error = run.run();
            assertNothingIsLeft(call);
            assertNothingIsRecorded(call);
            if (error.isPresent()) {
                reported++;
                assertReported(call, errno, error.get());
            } else {
                assertThat(isComplete()).as("the state when call %d failed", call).isTrue();
                assertThat(run.mayGoOnWithout(call)).as("call %d, %s", call, host.kernel.failed()).isTrue();
            }
            if (host.kernel.made() <= call) {
                assertThat(reported).isGreaterThan(50);
                return;
            }
        }
        throw new AssertionError("a migration has no end");
    }

    /** A session that found its end elsewhere says so in words of its own; a lost record has its own errno. */
    private static void assertReported(int call, int errno, IOException error) {
        Errno told = ((DeviceException) error).errno();
        if (number(error) != 0) {
            assertThat(number(error)).as("call %d: %s", call, error).isEqualTo(errno);
            assertThat(told).isIn(KernelException.nearest(errno), Errno.EOVERFLOW);
        } else {
            assertThat(told).as("call %d: %s", call, error).isEqualTo(KernelException.nearest(errno));
        }
    }

    @ParameterizedTest
    @CsvSource({"DEVICE,false", "CONTAINER,false", "IOMMUFD,true"})
    void shouldReportTheFirstErrorWhenAllFurtherCallsFail(Way way, boolean cdev) throws Exception {
        for (int call = 0; call < MOST_CALLS; call++) {
            boolean matters = !goesOnWithout(call, way, cdev);
            host = makeHost(cdev);
            host.kernel.fail(call, 5, LATER);
            Optional<IOException> error = new Run(way).run();
            assertNothingIsLeft(call);
            if (host.kernel.made() <= call) {
                return;
            }
            if (matters) {
                assertReported(call, 5, error.orElseThrow());
            }
        }
        throw new AssertionError("a migration has no end");
    }

    private boolean goesOnWithout(int call, Way way, boolean cdev) throws IOException {
        host = makeHost(cdev);
        host.kernel.fail(call, 5, 0);
        Run run = new Run(way);
        return run.run().isEmpty() && run.mayGoOnWithout(call);
    }

    @ParameterizedTest
    @CsvSource({"DEVICE,false", "CONTAINER,false", "IOMMUFD,true"})
    void shouldGoOnWhicheverCallASignalInterrupts(Way way, boolean cdev) throws Exception {
        for (int call = 0; call < MOST_CALLS; call++) {
            host = makeHost(cdev);
            host.kernel.fail(call, EINTR, 0);
            assertThat(new Run(way).run()).as("call %d", call).isEmpty();
            assertNothingIsLeft(call);
            assertThat(isComplete()).isTrue();
            if (host.kernel.made() <= call) {
                return;
            }
        }
        throw new AssertionError("a migration has no end");
    }
}
