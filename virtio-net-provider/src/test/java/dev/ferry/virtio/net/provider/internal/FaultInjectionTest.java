// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.ResumingSession;
import dev.ferry.device.SavingSession;
import dev.ferry.device.SessionTicket;
import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.virtio.FunctionReset;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.stream.IntStream;
import java.util.stream.Stream;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * Each command in turn goes wrong in each way, in a life of a device with all sessions. Whatever happens, afterwards
 * the device has no object, and no id is in use.
 */
class FaultInjectionTest {

    /** More than the script below sends. */
    private static final int COMMANDS = 40;

    private static final String IMAGE = "03010000000000000000000001000000" + "0f";

    /** How one command goes wrong. */
    private enum Fault {
        ENXIO(6), EAGAIN(11), ENOMEM(12), EBUSY(16), EEXIST(17), EINVAL(22), ENOSPC(28), UNKNOWN(999),
        /** The device executes the command, and nobody learns of it. */
        LOST_ANSWER(0),
        /** The device never sees the command. */
        LOST_COMMAND(0),
        /** The way to the device fails. */
        BROKEN(0),
        /** The queue throws. */
        THROWS(0),
        /** OK, and nonsense. */
        GARBAGE(0),
        /** OK, and nothing. */
        EMPTY(0),
        /** A used length that cannot be. */
        USED_TOO_MUCH(0);

        private final int status;

        Fault(int status) {
            this.status = status;
        }
    }

    /** A device that executes commands, but for one. */
    private static final class FaultyQueue extends FakeAdminQueue implements FunctionReset {
        private final Fault fault;
        private final int at;
        private final boolean forGood;
        private int sent = -100;

        FaultyQueue(Fault fault, int at, boolean forGood) {
            this.fault = fault;
            this.at = at;
            this.forGood = forGood;
        }

        @Override
        public void resetFunction(long groupMemberId) {
            // Objects survive it: they are the owner's.
        }

        @Override
        public CompletionStage<Integer> submit(ByteBuffer[] readable, ByteBuffer[] writable) {
            int number = sent++;
            boolean fails = number == at || forGood && number > at;
            return fails ? goWrong(readable, writable) : super.submit(readable, writable);
        }

        private CompletionStage<Integer> goWrong(ByteBuffer[] readable, ByteBuffer[] writable) {
            commands.add("fault");
            return switch (fault) {
                case LOST_ANSWER -> {
                    super.submit(readable, new ByteBuffer[] {ByteBuffer.allocate(1024)});
                    yield new CompletableFuture<>();
                }
                case LOST_COMMAND -> new CompletableFuture<>();
                case BROKEN -> CompletableFuture.failedFuture(new DeviceException(Errno.EIO, "broken"));
                case THROWS -> throw new IllegalStateException("told to");
                case GARBAGE -> {
                    byte[] bytes = new byte[8 + 256];
                    new Random(at).nextBytes(bytes);
                    bytes[0] = bytes[1] = 0;
                    super.submit(readable, new ByteBuffer[] {ByteBuffer.allocate(1024)});
                    yield CompletableFuture.completedFuture(put(writable, bytes));
                }
                case EMPTY -> {
                    super.submit(readable, new ByteBuffer[] {ByteBuffer.allocate(1024)});
                    yield CompletableFuture.completedFuture(0);
                }
                case USED_TOO_MUCH -> {
                    super.submit(readable, writable).toCompletableFuture().join();
                    yield CompletableFuture.completedFuture(Integer.MAX_VALUE);
                }
                case ENXIO -> {
                    // A device that says so has no such object.
                    super.submit(readable, new ByteBuffer[] {ByteBuffer.allocate(1024)});
                    if (readable[0].get(0) == CREATE) {
                        objects.remove((int) readable[0].get(28));
                    }
                    yield CompletableFuture.completedFuture(put(writable, hex("0600030000000000")));
                }
                case EAGAIN, ENOMEM, EBUSY, EEXIST, EINVAL, ENOSPC, UNKNOWN ->
                    CompletableFuture.completedFuture(put(
                            writable, new byte[] {(byte) fault.status, (byte) (fault.status >> 8), 3, 0, 0, 0, 0, 0}));
            };
        }
    }

    static Stream<Arguments> faults() {
        return Stream.of(Fault.values()).flatMap(fault -> IntStream.range(0, COMMANDS)
                .mapToObj(at -> Arguments.of(fault.name(), at)));
    }

    @ParameterizedTest(name = "{0} at {1}")
    @MethodSource("faults")
    void shouldLeaveNoObjectWhenOneCommandGoesWrong(String fault, int at) throws Exception {
        FaultyQueue queue = new FaultyQueue(Fault.valueOf(fault), at, false);
        Fixture fixture = new Fixture(queue);
        queue.sent = 0;

        live(fixture.driver);

        fixture.driver.depart();
        assertNothingIsLeft(queue, fixture);
    }

    @ParameterizedTest(name = "{0} from {1} on")
    @MethodSource("faults")
    void shouldGetRidOfItsObjectsWhenTheDeviceWorksAgain(String fault, int at) throws Exception {
        if (at % 6 != 0) {
            return; // each of them takes its time
        }
        FaultyQueue queue = new FaultyQueue(Fault.valueOf(fault), at, true);
        Fixture fixture = new Fixture(queue);
        queue.sent = 0;
        live(fixture.driver);

        queue.sent = Integer.MIN_VALUE; // works again
        fixture.driver.depart();
        assertNothingIsLeft(queue, fixture);
    }

    private static void assertNothingIsLeft(FakeAdminQueue queue, Fixture fixture) {
        assertThat(queue.objects).as("objects of the device after %s", queue.commands).isEmpty();
        assertThat(fixture.owner.ids().taken()).as("ids in use after %s", queue.commands).isZero();
    }

    /** All a driver can be asked to do, each step whether the last one went well or not. */
    private static void live(VirtioNetDriver driver) {
        attempt(driver::profile);
        attempt(driver::stopCopySize);
        SessionTicket[] ticket = new SessionTicket[1];
        attempt(() -> ticket[0] = driver.requestSession());
        attempt(() -> ticket[0].await(Duration.ZERO));
        attempt(driver::profile);
        attempt(() -> driver.step(Arc.RUNNING_TO_PRE_COPY).map(session -> (SavingSession) session)
                .orElseThrow().read(ByteBuffer.allocate(100)));
        attempt(driver::stopCopySize);
        walk(driver, Arc.PRE_COPY_TO_PRE_COPY_P2P, Arc.PRE_COPY_P2P_TO_STOP_COPY, Arc.STOP_COPY_TO_STOP);
        walk(driver, Arc.PRE_COPY_P2P_TO_RUNNING_P2P, Arc.PRE_COPY_TO_RUNNING);
        walk(driver, Arc.RUNNING_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_STOP, Arc.STOP_TO_STOP_COPY, Arc.STOP_COPY_TO_STOP);
        attempt(() -> {
            ResumingSession session = (ResumingSession) driver.step(Arc.STOP_TO_RESUMING).orElseThrow();
            return session.write(ByteBuffer.wrap(FakeAdminQueue.hex(IMAGE)));
        });
        walk(driver, Arc.RESUMING_TO_STOP, Arc.STOP_TO_RUNNING_P2P, Arc.RUNNING_P2P_TO_RUNNING);
        attempt(() -> {
            driver.reset();
            return null;
        });
        attempt(() -> {
            ticket[0].close();
            return null;
        });
        if (driver.state() == DeviceState.RUNNING) {
            attempt(() -> driver.step(Arc.RUNNING_TO_PRE_COPY)); // left open for the departure
        }
    }

    private static void walk(VirtioNetDriver driver, Arc... arcs) {
        for (Arc arc : arcs) {
            if (driver.state() == arc.from()) {
                attempt(() -> driver.step(arc));
            }
        }
    }

    private interface Attempt {
        Object run() throws IOException;
    }

    /** Only the failures that a driver may show. */
    private static void attempt(Attempt attempt) {
        try {
            attempt.run();
        } catch (DeviceException e) {
            assertThat(e).hasMessageNotContaining("null").satisfies(told -> assertThat(told.getMessage()).isNotBlank());
        } catch (IOException e) {
            throw new AssertionError("not a failure of a driver", e);
        } catch (NullPointerException e) {
            assertThat(List.of(e.getStackTrace()).get(0).getClassName()).contains("FaultInjectionTest"); // no ticket
        }
    }
}
