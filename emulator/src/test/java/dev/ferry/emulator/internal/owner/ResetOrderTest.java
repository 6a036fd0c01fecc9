// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.object;
import static dev.ferry.emulator.internal.owner.Bench.plain;
import static dev.ferry.emulator.internal.owner.Bench.toMember;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.PciFunction;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Resets of a member against commands about it, on other threads: each is wholly before or wholly behind the other. */
class ResetOrderTest {

    private static final String OK = plain(Bench.OK);
    private static final int ROUNDS = 3_000;
    /** As often at least the device is looked at meanwhile. */
    private static final int LOOKS = 50;
    /** Device Control in the PCI Express capability, which this device has at 0x40. */
    private static final int DEVICE_CONTROL = 0x48;
    private static final int INITIATE_FLR = 0x8000;

    private final AdapterSettings settings = Bench.settings(1, false);
    private final OwnerDevice owner = new OwnerDevice(settings, new VirtioNetMembers(settings));
    private final PciFunction member = owner.function(1);

    private String execute(String readable, int space) {
        byte[] written = new byte[space];
        int used = owner.submit(
                        new ByteBuffer[] {ByteBuffer.wrap(Bench.bytes(readable))},
                        new ByteBuffer[] {ByteBuffer.wrap(written)})
                .toCompletableFuture()
                .join();
        return Bench.hex(written).substring(0, 2 * used);
    }

    private String parts() {
        return execute(toMember(0x0f, 1, object(0) + "0100000000000000"), 4096);
    }

    @Test
    void shouldAnswerASetBeforeOrBehindAReset() throws Exception {
        execute(Bench.USE_ALL, 8);
        execute(Bench.SET_CAPABILITY, 8);
        execute(Bench.create(1, 0, 0), 8);
        execute(Bench.create(1, 1, 1), 8);
        execute(toMember(0x11, 1, "01"), 8);
        String defaults = parts();
        // The driver at work: status 0x0F, VERSION_1, and both queues enabled.
        String atWork = defaults.substring(16)
                .replace(plain("0101 0000 0000000000000000 08000000 0000000000000000"),
                        plain("0101 0000 0000000000000000 08000000 0000000001000000"))
                .replace(
                        plain("0301 0000 0000000000000000 01000000 00"),
                        plain("0301 0000 0000000000000000 01000000 0f"))
                .replace(plain("0001 ffff 0000"), plain("0001 ffff 0100"));
        assertThat(execute(toMember(0x10, 1, object(1) + atWork), 8)).isEqualTo(OK);
        String loaded = parts();
        assertThat(loaded).isNotEqualTo(defaults);

        ExecutorService guest = Executors.newSingleThreadExecutor();
        try {
            AtomicInteger looks = new AtomicInteger();
            Future<?> resets = guest.submit(() -> {
                boolean told = false;
                for (int round = 0; !told && (round < ROUNDS || looks.get() < LOOKS); round++) {
                    told = Thread.currentThread().isInterrupted();
                    member.writeConfig(DEVICE_CONTROL, 2, INITIATE_FLR);
                }
            });
            Set<String> seen = new HashSet<>();
            while (!resets.isDone()) {
                assertThat(execute(toMember(0x11, 1, "01"), 8)).isEqualTo(OK);
                assertThat(execute(toMember(0x10, 1, object(1) + atWork), 8)).isEqualTo(OK);
                seen.add(parts());
                looks.incrementAndGet();
            }
            resets.get(10, TimeUnit.SECONDS);
            assertThat(seen).isSubsetOf(defaults, loaded);
        } finally {
            guest.shutdownNow();
        }
        member.writeConfig(DEVICE_CONTROL, 2, INITIATE_FLR);
        assertThat(parts()).as("all parts have their defaults").isEqualTo(defaults);
        assertThat(owner.resourceObjects()).as("objects are the owner's").isEqualTo(2);
    }
}
