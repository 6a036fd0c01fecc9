// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.device.IovaRange;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import dev.ferry.emulator.internal.net.FunctionConfig;
import dev.ferry.emulator.internal.net.VirtioNetFunction;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.NetControl;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A guest, its memory and the parts of its device move to another function, and it continues exactly. */
@Timeout(60)
class GuestMoveTest {

    private static final int VF_COMMAND = 4;

    private final VirtioNetFunction first = function("h1/vf1", 1);
    private final VirtioNetFunction second = function("h2/vf1", 1);
    private final List<ByteBuffer> sent = new ArrayList<>();

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldContinueWithFramesThatLayInItsMemory(boolean packed) throws Exception {
        Cable cable = new Cable().at(first).at(second);
        try (VirtioNetGuest source = boot(first, packed);
                VirtioNetGuest destination = VirtioNetGuest.attach(second, GuestRam.allocate())) {
            send(first, 500);
            source.pause();
            int before = cable.count();
            while (first.deliver(Cable.frame(sent.size(), 60)) == Delivery.TAKEN) {
                sent.add(Cable.frame(sent.size(), 60));
            }
            move(first, source, second, destination);
            assertThat(cable.count()).isEqualTo(before);

            destination.resume();
            assertThat(cable.await(sent.size())).isEqualTo(sent);
            send(second, 500);
            assertThat(cable.await(sent.size())).isEqualTo(sent);
            destination.pause();
            assertThat(destination.forwardedFrames()).isEqualTo(sent.size());
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void shouldMoveToAndFroUnderTrafficWithoutLossDuplicationOrReordering(boolean packed) throws Exception {
        Cable cable = new Cable().at(first).at(second);
        VirtioNetFunction here = first;
        VirtioNetFunction there = second;
        VirtioNetGuest guest = boot(here, packed);
        for (int round = 0; round < 20; round++) {
            send(here, 300);
            try (VirtioNetGuest source = guest) {
                VirtioNetGuest destination = VirtioNetGuest.attach(there, GuestRam.allocate());
                source.pause();
                move(here, source, there, destination);
                destination.resume();
                guest = destination;
            }
            here.setStopped(false);
            VirtioNetFunction was = here;
            here = there;
            there = was;
        }
        try (VirtioNetGuest last = guest) {
            assertThat(cable.await(sent.size())).isEqualTo(sent);
            assertThat(last.failure()).isEmpty();
            assertThat(accepted(last)).isTrue();
        }
    }

    @Test
    void shouldLookAtItsQueuesWithoutBeingTold() throws Exception {
        Cable cable = new Cable().at(first).at(second);
        FaultyBus deaf = new FaultyBus(second);
        deaf.losesInterrupts = true;
        try (VirtioNetGuest source = VirtioNetGuest.boot(first, GuestRam.allocate());
                VirtioNetGuest destination = VirtioNetGuest.attach(deaf, GuestRam.allocate())) {
            source.pause();
            send(first, 10);
            move(first, source, second, destination);
            destination.resume();
            assertThat(cable.await(10)).isEqualTo(sent);
        }
    }

    @Test
    void shouldContinueAtTheSourceWhenItIsResumedThere() throws Exception {
        Cable cable = new Cable().at(first);
        try (VirtioNetGuest source = VirtioNetGuest.boot(first, GuestRam.allocate())) {
            send(first, 300);
            source.pause();
            first.setStopped(true);
            source.saveDeviceConfig("h1/vf1");
            first.setStopped(false);
            source.resume();
            send(first, 300);
            assertThat(cable.await(sent.size())).isEqualTo(sent);
        }
    }

    @Test
    void shouldCarryCommandAndInterruptTable() throws Exception {
        try (VirtioNetGuest source = VirtioNetGuest.boot(first, GuestRam.allocate());
                VirtioNetGuest destination = VirtioNetGuest.attach(second, GuestRam.allocate())) {
            source.pause();
            ByteBuffer saved = source.saveDeviceConfig("h1/vf1");
            destination.loadDeviceConfig("h2/vf1", saved.duplicate());

            assertThat(second.readConfig(VF_COMMAND, 2)).isEqualTo(first.readConfig(VF_COMMAND, 2)).isNotZero();
            assertThat(destination.saveDeviceConfig("h2/vf1")).isEqualTo(saved);
        }
    }

    @Test
    void shouldRefuseTheConfigurationOfAFunctionWithMoreVectors() throws Exception {
        VirtioNetFunction larger = function("h2/vf2", 4);
        try (VirtioNetGuest source = VirtioNetGuest.boot(larger, GuestRam.allocate());
                VirtioNetGuest destination = VirtioNetGuest.attach(first, GuestRam.allocate())) {
            ByteBuffer saved = source.saveDeviceConfig("h2/vf2");

            assertThatThrownBy(() -> destination.loadDeviceConfig("h1/vf1", saved))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("h1/vf1");
            assertThatThrownBy(() -> destination.loadDeviceConfig("h1/vf1", ByteBuffer.allocate(3)))
                    .isInstanceOf(IOException.class);
            assertThat(first.readConfig(VF_COMMAND, 2)).isZero();
        }
    }

    @Test
    void shouldTakeTheConfigurationOfAFunctionWithFewerVectors() throws Exception {
        VirtioNetFunction larger = function("h2/vf2", 4);
        try (VirtioNetGuest source = VirtioNetGuest.boot(first, GuestRam.allocate());
                VirtioNetGuest destination = VirtioNetGuest.attach(larger, GuestRam.allocate())) {
            source.pause();

            destination.loadDeviceConfig("h2/vf2", source.saveDeviceConfig("h1/vf1"));

            assertThat(larger.readConfig(VF_COMMAND, 2)).isEqualTo(first.readConfig(VF_COMMAND, 2)).isNotZero();
        }
    }

    @Test
    void shouldReadAndWriteOnlyItsMemory() throws Exception {
        GuestRam ram = GuestRam.allocate(8192);
        assertThat(ram.ranges()).containsExactly(new IovaRange(0x1000_0000L, 8192));
        ram.write(0x1000_1FFEL, ByteBuffer.wrap(new byte[] {1, 2}));
        ByteBuffer read = ByteBuffer.allocate(2);
        ram.read(0x1000_1FFEL, read);
        assertThat(read.array()).containsExactly(1, 2);
        assertThatThrownBy(() -> ram.write(0x1000_1FFFL, ByteBuffer.wrap(new byte[] {3, 4})))
                .isInstanceOf(IOException.class);
        assertThatThrownBy(() -> ram.read(0xFFF_FFFFL, ByteBuffer.allocate(2))).isInstanceOf(IOException.class);
        assertThat(ram.u16(0x1000_1FFEL)).isEqualTo(0x0201);
    }

    private static VirtioNetGuest boot(VirtioNetFunction function, boolean packed) throws IOException {
        // Few descriptors, so that the rings go round many times.
        GuestOptions options = GuestOptions.defaults().withPacked(packed).withQueueSize(packed ? 32 : 256);
        return VirtioNetGuest.boot(function, GuestRam.allocate(), options);
    }

    // The source's guest is paused.
    private static void move(
            VirtioNetFunction from, VirtioNetGuest source, VirtioNetFunction to, VirtioNetGuest destination)
            throws IOException {
        from.setStopped(true);
        to.setStopped(true);
        ByteBuffer parts = ByteBuffer.allocate(from.maxPartsSize());
        assertThat(from.captureParts(null, parts)).isTrue();
        assertThat(to.loadParts(parts.flip())).isEqualTo(AdminResult.SUCCESS);
        IovaRange all = source.memory().ranges().get(0);
        ByteBuffer memory = ByteBuffer.allocate((int) all.length());
        source.memory().read(all.iova(), memory);
        destination.memory().write(all.iova(), memory.flip());
        destination.loadDeviceConfig(to.id(), source.saveDeviceConfig(from.id()));
        to.setStopped(false);
    }

    private void send(VirtioNetFunction to, int frames) {
        for (int each = 0; each < frames; each++) {
            sent.add(Cable.frame(sent.size(), 14 + sent.size() * 31 % 9_000));
            Cable.deliver(to, sent.get(sent.size() - 1));
        }
    }

    private static boolean accepted(VirtioNetGuest guest) throws Exception {
        return guest.control(NetControl.RX_ALLMULTI, new byte[] {1}).toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    private static VirtioNetFunction function(String id, int pairs) {
        return new VirtioNetFunction(new FunctionConfig(
                id, new byte[] {2, 0, 0, 0, 0, 1}, pairs, 256, FunctionConfig.defaultFeatures(pairs)));
    }
}
