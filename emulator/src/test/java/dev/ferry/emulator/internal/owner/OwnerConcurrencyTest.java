// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.bytes;
import static dev.ferry.emulator.internal.owner.Bench.toMember;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.Await;
import dev.ferry.emulator.control.PciFunction;
import dev.ferry.emulator.guest.GuestRam;
import dev.ferry.emulator.guest.VirtioNetGuest;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.concurrent.Callable;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Resets of the owner device, and VFs that go, while others are in the middle of something. */
class OwnerConcurrencyTest {

    private static final int MEMBERS = 2;
    private static final int ROUNDS = 100;
    private static final int LIMIT_SECONDS = 60;
    /** OK, EAGAIN, EEXIST, EINVAL, ENOSPC, ENXIO: what the commands here may meet. */
    private static final Set<Integer> STATUSES = Set.of(0, 11, 17, 22, 28, 6);

    private final AdapterSettings settings = Bench.settings(MEMBERS, false);
    private final OwnerDevice owner = new OwnerDevice(settings, new VirtioNetMembers(settings));
    private final OwnerDriver driver = new OwnerDriver(owner.ownerFunction());
    private final GuestRam ram = GuestRam.allocate();
    private final AtomicBoolean end = new AtomicBoolean();
    /** Those that were once through what they do. */
    private final Set<Thread> begun = ConcurrentHashMap.newKeySet();

    /** Sends by the service what a migration sends, until the end. */
    private Void migrate(int member) {
        while (!end.get()) {
            for (String command : List.of(
                    Bench.USE_ALL,
                    Bench.SET_CAPABILITY,
                    Bench.create(member, member, 0),
                    toMember(0x11, member, "01"),
                    toMember(0x0f, member, Bench.object(member) + "0100000000000000"),
                    toMember(0x11, member, "00"),
                    Bench.destroy(member, member))) {
                assertThat(status(command)).as(command).isIn(STATUSES);
            }
            begun.add(Thread.currentThread());
        }
        return null;
    }

    private int status(String command) {
        ByteBuffer answer = ByteBuffer.allocate(1 << 14);
        owner.submit(new ByteBuffer[] {ByteBuffer.wrap(bytes(command.replace(" ", "")))}, new ByteBuffer[] {answer})
                .toCompletableFuture()
                .join();
        return Byte.toUnsignedInt(answer.get(0));
    }

    /** Boots a guest on a VF again and again, until the end; the VF may go at any moment. */
    private Void guest() {
        while (!end.get()) {
            PciFunction function = owner.members() == 0 ? null : functionOrNull();
            if (function != null) {
                boot(function);
                begun.add(Thread.currentThread());
            }
        }
        return null;
    }

    private PciFunction functionOrNull() {
        try {
            return owner.function(1);
        } catch (IllegalArgumentException e) {
            // It went between the question and the answer.
            return null;
        }
    }

    private void boot(PciFunction function) {
        try (VirtioNetGuest guest = VirtioNetGuest.boot(function, ram)) {
            guest.resume();
        } catch (IOException e) {
            // A guest finds no device where the VF is gone, and says so.
            assertThat(e).hasMessageContaining(function.id());
        }
    }

    private void during(Runnable action, List<Callable<Void>> others) throws Exception {
        ExecutorService threads = Executors.newFixedThreadPool(others.size() + 1);
        List<Future<?>> running = new ArrayList<>();
        others.forEach(other -> running.add(threads.submit(other)));
        try {
            Await.until("all to have begun", () -> begun.size() == others.size()
                    || running.stream().anyMatch(Future::isDone));
            Future<?> acting = threads.submit(action);
            acting.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        } finally {
            end.set(true);
            threads.shutdown();
        }
        for (Future<?> one : running) {
            one.get(LIMIT_SECONDS, TimeUnit.SECONDS);
        }
    }

    @Test
    void shouldBeAsAfterAResetWhenOneComesWhileCommandsRun() throws Exception {
        driver.start();
        during(
                () -> {
                    for (int round = 0; round < ROUNDS; round++) {
                        driver.start();
                        assertThat(driver.execute(Bench.USE_ALL, 8)).startsWith("0000");
                    }
                },
                List.of(() -> migrate(1), () -> migrate(2)));
        driver.start();
        assertThat(owner.resourceObjects()).isZero();
        assertThat(owner.describe()).isEqualTo(new OwnerDevice(settings, new VirtioNetMembers(settings)).describe());
        assertThat(status(Bench.USE_ALL)).isZero();
        assertThat(status(toMember(0x11, 1, "01"))).isZero();
    }

    @Test
    void shouldLetVfsGoAndComeWhileGuestsAndMigrationsUseThem() throws Exception {
        during(
                () -> {
                    for (int round = 0; round < ROUNDS; round++) {
                        driver.disableVfs();
                        driver.enableVfs(MEMBERS);
                    }
                },
                List.of(() -> migrate(1), () -> migrate(2), this::guest));
        driver.disableVfs();
        assertThat(owner.resourceObjects()).isZero();
        driver.enableVfs(MEMBERS);
        assertThat(status(Bench.USE_ALL)).isZero();
        assertThat(status(toMember(0x11, MEMBERS, "01"))).isZero();
        assertThat(owner.function(1).readConfig(0, 4)).isEqualTo(0x1041_1AF4L);
    }
}
