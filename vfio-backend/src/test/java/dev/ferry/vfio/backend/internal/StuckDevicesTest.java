// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatCode;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.device.SavingSession;
import dev.ferry.fsm.Arc;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.handover.Lending;
import dev.ferry.vfio.backend.internal.sysfs.DeviceFinder;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.slf4j.LoggerFactory;

/** One device that the kernel or a migration does not let go, beside another that is in order. */
@Timeout(240)
class StuckDevicesTest extends DeviceServicesFixture {
    /** A machine may keep a thread waiting so long for a processor. */
    private static final long STALL_MILLIS = 10_000;

    private static final String IN_A_MIGRATION =
            "host9/" + VF + " is still in use by a migration that is being ended; it will be closed after that";
    private static final String IN_A_CALL =
            "host9/" + VF + " is in a call that has not returned from the kernel; it will be closed when it returns";

    private void block() {
        entered.countDown();
        try {
            assertThat(letGo.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static Thread start(Runnable task) {
        Thread thread = new Thread(task);
        thread.start();
        return thread;
    }

    private static void end(Thread thread) throws InterruptedException {
        thread.join(TimeUnit.SECONDS.toMillis(LIMIT_SECONDS));
        assertThat(thread.isAlive()).isFalse();
    }

    @Test
    void shouldWaitForWhatAnInterruptedThreadLeftClosingWhenAllEnds() throws Exception {
        update(MDEV);
        before.put("close", arguments -> block());
        List<FoundDevice> found = new DeviceFinder(folder).find(Set.of());

        Thread.currentThread().interrupt(); // as the thread that looks for devices is when the bundle stops
        services.update(found, BackendSettings.none());
        assertThat(Thread.interrupted()).isTrue();
        assertThat(entered.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();
        Thread closing = start(services::close);
        await(() -> !closing.isAlive() || closing.getState() == Thread.State.TIMED_WAITING);

        assertThat(closing.isAlive()).as("waits").isTrue();
        letGo.countDown();
        end(closing);
        assertThat(host.kernel.openFiles()).isZero();
    }

    @Test
    void shouldNotWaitForEverForATransferThatTheKernelDoesNotEnd() throws Exception {
        waitNoLongerThan(DeviceServices.WAIT_MILLIS);
        assertThat(services.lend(found(VF), opened(VF))).isEqualTo("host9/" + VF);
        update(MDEV);
        SavingSession session = saving(drivers.get(VF));
        before.put("read", arguments -> block());
        Thread reader = start(() -> {
            try {
                session.read(ByteBuffer.allocateDirect(4096));
            } catch (IOException e) {
                // What a transfer gives that lost its device is not looked at here.
            }
        });
        assertThat(entered.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();

        Lending.WayBack returned = services.takeBack(VF);
        await(() -> returned.obstacle().equals(Optional.of(IN_A_CALL)));
        assertThat(registered).containsKey(MDEV).doesNotContainKey(VF);
        services.close();
        assertThat(registered).isEmpty();

        letGo.countDown();
        end(reader);
        awaitNothingOpen();
    }

    private static SavingSession saving(MigrationDriver driver) throws Exception {
        driver.step(Arc.RUNNING_TO_RUNNING_P2P);
        driver.step(Arc.RUNNING_P2P_TO_STOP);
        return (SavingSession) driver.step(Arc.STOP_TO_STOP_COPY).orElseThrow();
    }

    private void awaitNothingOpen() {
        await(() -> host.kernel.openFiles() == 0);
    }

    @Test
    void shouldNotWaitForEverForAnOpeningThatTheKernelDoesNotEnd() throws Exception {
        waitNoLongerThan(DeviceServices.WAIT_MILLIS);
        OpenDevice open = opened(MDEV);
        before.put("open", arguments -> block());
        Thread opening = start(() -> {
            try {
                update(VF);
            } catch (Exception e) {
                throw new AssertionError(e);
            }
        });
        assertThat(entered.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> services.lend(found(MDEV), open))
                .matches(e -> e.errno() == Errno.EBUSY);
        services.close();

        letGo.countDown();
        end(opening);
        awaitNothingOpen();
        assertThat(registered).as("withdrawn by who kept the others waiting").isEmpty();
    }

    /** As fsm-core does while a migration is rolled back. */
    private void keepUnregistering(String name) {
        unregistering.put(name, this::block);
    }

    @Test
    void shouldNotLetOthersWaitForAMigrationThatIsRolledBack() throws Exception {
        services.lend(found(VF), opened(VF));
        keepUnregistering(VF);

        assertThat(services.takeBack(VF).obstacle()).hasValue(IN_A_MIGRATION);
        assertThat(services.takeBack(VF).obstacle()).as("in another turn").hasValue(IN_A_MIGRATION);
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> services.lend(found(VF), opened(MDEV)))
                .matches(e -> e.errno() == Errno.EBUSY)
                .withMessage("host9/" + VF + " is still being closed by its previous user; try again later");
        update(MDEV);
        assertThat(registered.get(MDEV)).as("meanwhile").containsKey("ferry.vfio.access");
        assertThat(reason(VF)).as("until it has left").isNull();

        letGo.countDown();
        takeBack(VF);
        awaitReason(VF);
    }

    private void awaitReason(String name) {
        await(() -> registered.containsKey(name) && reason(name) != null);
        assertThat(reason(name)).as("served as soon as it had left").asString().startsWith("it is not open");
    }

    @Test
    void shouldNotSayThatADeviceIsReturnedWhichIsClosedOnlyLater() throws Exception {
        services.lend(found(VF), opened(VF));
        before.put("close", arguments -> block());

        services.letGo(VF);
        assertThat(entered.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();

        assertThat(services.takeBack(VF).obstacle()).hasValue(IN_A_CALL);
        letGo.countDown();
        takeBack(VF);
        assertThat(host.kernel.openFiles()).isZero();
    }

    @Test
    void shouldLetALenderWaitForATimeOnly() throws Exception {
        services = services(new Patience(LONG_MILLIS, DeviceServices.RETURN_MILLIS, LONG_MILLIS));
        services.lend(found(VF), opened(VF));
        keepUnregistering(VF);

        long asked = System.nanoTime();
        await(services.takeBack(VF)::isLate);

        assertThat(System.nanoTime() - asked).isGreaterThanOrEqualTo(TimeUnit.SECONDS.toNanos(4));
    }

    @Test
    void shouldTakeBackADeviceBesideOneThatIsStuck() throws Exception {
        services.lend(found(VF), opened(VF));
        services.lend(found(MDEV), opened(MDEV));
        keepUnregistering(VF);
        services.letGo(VF);
        assertThat(entered.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();

        takeBack(MDEV);

        assertThat(registered).containsOnlyKeys(VF);
    }

    @Test
    void shouldSayWhenAnotherDeviceIsWaitedForBeforeOneIsReturned() throws Exception {
        services.lend(found(MDEV), opened(MDEV));
        before.put("open", arguments -> block());
        Thread opening = start(() -> assertThatCode(() -> update(VF)).doesNotThrowAnyException());
        assertThat(entered.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();

        assertThat(services.takeBack(MDEV).obstacle()).hasValue(
                "host9/" + MDEV + " will be closed once a pending operation on another device returns");

        letGo.countDown();
        end(opening);
        takeBack(MDEV);
        assertThat(registered.getOrDefault(MDEV, Map.of())).doesNotContainKey("ferry.vfio.access");
    }

    /** However many are stuck, a turn waits for them together. */
    @Test
    void shouldSendAllDevicesOffBeforeItWaitsForOne() throws Exception {
        update(VF, MDEV);
        CountDownLatch both = new CountDownLatch(2);
        for (String name : List.of(VF, MDEV)) {
            unregistering.put(name, () -> {
                both.countDown();
                try {
                    assertThat(both.await(LIMIT_SECONDS, TimeUnit.SECONDS)).as("the other leaves, too").isTrue();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            });
        }

        update();

        awaitReason(VF);
        awaitReason(MDEV);
    }

    /** What is opened when all ends is closed again, and the next device is not opened any more. */
    @Test
    void shouldPublishNothingBehindTheEnd() throws Exception {
        waitNoLongerThan(DeviceServices.WAIT_MILLIS);
        before.put("open", arguments -> block());
        Thread opening = start(() -> assertThatCode(() -> update(VF, MDEV)).doesNotThrowAnyException());
        assertThat(entered.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();

        assertThat(whatIsSaidAtTheEnd()).containsExactly("the VFIO backend stops while something is still under way: "
                + "a device of host9 is being opened; it will be closed when that is done");
        letGo.countDown();
        end(opening);

        assertThat(drivers).isEmpty();
        awaitNothingOpen();
        assertThat(host.kernel.log).noneMatch(call -> call.contains("vfio/13"));
    }

    private List<String> whatIsSaidAtTheEnd() {
        Logger logger = (Logger) LoggerFactory.getLogger(DeviceServices.class);
        ListAppender<ILoggingEvent> said = new ListAppender<>();
        said.start();
        logger.addAppender(said);
        try {
            services.close();
        } finally {
            logger.detachAppender(said);
        }
        return said.list.stream().map(ILoggingEvent::getFormattedMessage).toList();
    }

    @Test
    void shouldWithdrawWhatIsServedWhenAllEndsWhileAnotherDeviceIsStuck() throws Exception {
        waitNoLongerThan(DeviceServices.WAIT_MILLIS);
        services.lend(found(VF), opened(VF));
        before.put("open", arguments -> block());
        Thread opening = start(() -> assertThatCode(() -> update(MDEV)).doesNotThrowAnyException());
        assertThat(entered.await(LIMIT_SECONDS, TimeUnit.SECONDS)).isTrue();

        services.close();

        assertThat(registered).doesNotContainKey(VF);
        letGo.countDown();
        end(opening);
        awaitNothingOpen();
    }

    @Test
    void shouldSayWhatItLeavesRunningWhenItStops() throws Exception {
        services = services(new Patience(STALL_MILLIS, LONG_MILLIS, 1));
        update(VF, MDEV);
        keepUnregistering(VF);

        assertThat(whatIsSaidAtTheEnd()).containsExactly("the VFIO backend stops while something is still under way: "
                + IN_A_MIGRATION);
        letGo.countDown();
        awaitNothingOpen();
    }
}
