// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.guest;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.emulator.Await;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import dev.ferry.emulator.internal.net.FunctionConfig;
import dev.ferry.emulator.internal.net.VirtioNetFunction;
import dev.ferry.virtio.DeviceStatus;
import dev.ferry.virtio.NetControl;
import dev.ferry.virtio.VirtioFeature;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

@Timeout(60)
class VirtioNetGuestTest {

    private static final byte[] MAC = {0x02, 0, 0, 0, 0, 1};
    private static final byte[] OTHER_MAC = {0x02, 0, 0, 0, 0, 9};
    private static final int VIRTIO_BAR = 2;
    private static final int DEVICE_STATUS = 20;
    private static final int COMMAND = 4;
    private static final int TRANSMIT_QUEUE = 1;

    @ParameterizedTest
    @CsvSource({"2,false", "16,false", "256,false", "1024,false", "2,true", "16,true", "256,true", "1024,true"})
    void shouldSendOutWhatItReceivesUnchangedAndInOrder(int queueSize, boolean packed) throws Exception {
        VirtioNetFunction function = function(1, 1024);
        Cable cable = new Cable().at(function);
        List<ByteBuffer> sent = new ArrayList<>();
        try (VirtioNetGuest guest = VirtioNetGuest.boot(
                function, GuestRam.allocate(), GuestOptions.defaults().withQueueSize(queueSize).withPacked(packed))) {
            for (int number = 0; number < 3_000; number++) {
                sent.add(Cable.frame(number, 14 + number * 7 % 1_600));
                Cable.deliver(function, sent.get(number));
            }
            assertThat(cable.await(sent.size())).isEqualTo(sent);
            guest.pause();
            assertThat(guest.forwardedFrames()).isEqualTo(sent.size());
            assertThat(guest.failure()).isEmpty();
        }
    }

    @ParameterizedTest
    @CsvSource({"2,false", "16,false", "64,false", "256,false", "2,true", "16,true", "64,true", "256,true"})
    void shouldForwardTheShortestAndTheLongestFrames(int queueSize, boolean packed) throws Exception {
        VirtioNetFunction function = function(1, 256);
        Cable cable = new Cable().at(function);
        List<ByteBuffer> sent = new ArrayList<>();
        try (VirtioNetGuest guest = VirtioNetGuest.boot(
                function, GuestRam.allocate(), GuestOptions.defaults().withQueueSize(queueSize).withPacked(packed))) {
            for (int number = 0; number < 200; number++) {
                sent.add(Cable.frame(number, number % 2 == 0 ? 65_550 : 14));
                Cable.deliver(function, sent.get(number));
            }
            assertThat(cable.await(sent.size())).isEqualTo(sent);
            assertThat(guest.failure()).isEmpty();
        }
    }

    @Test
    void shouldUseSeveralQueuePairs() throws Exception {
        VirtioNetFunction function = function(4, 256);
        Cable cable = new Cable().at(function);
        List<ByteBuffer> sent = new ArrayList<>();
        try (VirtioNetGuest guest =
                VirtioNetGuest.boot(function, GuestRam.allocate(), GuestOptions.defaults().withQueuePairs(4))) {
            for (int number = 0; number < 400; number++) {
                sent.add(Cable.frame(number, 60));
                Cable.deliver(function, sent.get(number));
            }
            assertThat(VirtioFeature.NET_MQ.isIn(guest.features())).isTrue();
            assertThat(cable.await(sent.size())).containsExactlyInAnyOrderElementsOf(sent);
        }
    }

    @ParameterizedTest
    @CsvSource({"128,false", "255,true"})
    void shouldUseAsManyQueuePairsAsThereCanBe(int pairs, boolean packed) throws Exception {
        VirtioNetFunction function = function(pairs, 256);
        Cable cable = new Cable().at(function);
        List<ByteBuffer> sent = new ArrayList<>();
        GuestOptions options = GuestOptions.defaults().withQueuePairs(pairs).withQueueSize(16).withPacked(packed);
        try (VirtioNetGuest guest = VirtioNetGuest.boot(function, GuestRam.allocate(160 << 20), options)) {
            for (int number = 0; number < 4 * pairs; number++) {
                sent.add(Cable.frame(number, 60).put(5, (byte) number));
                Cable.deliver(function, sent.get(number));
            }
            assertThat(cable.await(sent.size())).containsExactlyInAnyOrderElementsOf(sent);
            assertThat(guest.failure()).isEmpty();
            assertThat(accepted(guest, NetControl.RX_ALLMULTI, new byte[] {1})).isTrue();
        }
    }

    @Test
    void shouldRefusePackedQueuesThatTheDeviceDoesNotHave() {
        VirtioNetFunction function = new VirtioNetFunction(new FunctionConfig(
                "h/vf1", MAC, 1, 256, FunctionConfig.defaultFeatures(1) & ~VirtioFeature.RING_PACKED.mask()));
        assertThatThrownBy(() -> VirtioNetGuest.boot(
                        function, GuestRam.allocate(), GuestOptions.defaults().withPacked(true)))
                .isInstanceOf(IOException.class)
                .hasMessage("h/vf1 has no packed virtqueues; use split ones");
    }

    @Test
    void shouldTakeOnlyItsOwnFramesWhenNotPromiscuous() throws Exception {
        VirtioNetFunction function = function(1, 256);
        try (VirtioNetGuest guest = VirtioNetGuest.boot(
                function, GuestRam.allocate(), GuestOptions.defaults().withPromiscuous(false))) {
            assertThat(function.deliver(frameTo(OTHER_MAC))).isEqualTo(Delivery.FILTERED);
            assertThat(function.deliver(frameTo(MAC))).isEqualTo(Delivery.TAKEN);

            assertThat(accepted(guest, NetControl.MAC_ADDR_SET, OTHER_MAC)).isTrue();
            assertThat(function.deliver(frameTo(OTHER_MAC))).isEqualTo(Delivery.TAKEN);
            assertThat(function.deliver(frameTo(MAC))).isEqualTo(Delivery.FILTERED);
            assertThat(accepted(guest, NetControl.RX_PROMISC, new byte[] {1})).isTrue();
            assertThat(function.deliver(frameTo(MAC))).isEqualTo(Delivery.TAKEN);
        }
    }

    @Test
    void shouldSayThatTheDeviceRefusedACommand() throws Exception {
        try (VirtioNetGuest guest = VirtioNetGuest.boot(function(1, 256), GuestRam.allocate())) {
            assertThat(accepted(guest, NetControl.RX_PROMISC, new byte[] {7})).isFalse();
            assertThat(accepted(guest, NetControl.RX_PROMISC, new byte[] {0})).isTrue();
        }
    }

    @Test
    void shouldExecuteNothingWhilePausedAndContinueAfterwards() throws Exception {
        VirtioNetFunction function = function(1, 256);
        Cable cable = new Cable().at(function);
        try (VirtioNetGuest guest = VirtioNetGuest.boot(function, GuestRam.allocate())) {
            guest.pause();
            for (int number = 0; number < 100; number++) {
                assertThat(function.deliver(Cable.frame(number, 60))).isEqualTo(Delivery.TAKEN);
            }
            assertThat(cable.count()).isZero();
            guest.pause();

            guest.resume();
            assertThat(cable.await(100)).hasSize(100);
        }
    }

    @Test
    void shouldHoldFramesInTheReceiveQueueUntilThereIsRoomAgain() throws Exception {
        VirtioNetFunction function = function(1, 256);
        Cable cable = new Cable().at(function);
        try (VirtioNetGuest guest = VirtioNetGuest.boot(function, GuestRam.allocate())) {
            guest.pause();
            int taken = 0;
            while (function.deliver(Cable.frame(taken, 60)) == Delivery.TAKEN) {
                taken++;
            }
            assertThat(taken).isEqualTo(256);
            guest.resume();
            assertThat(cable.await(taken)).hasSize(taken);
        }
    }

    @Test
    void shouldLeaveFramesWhereTheyAreWhileTheTransmitQueueIsFull() throws Exception {
        VirtioNetFunction function = function(1, 16);
        FaultyBus bus = new FaultyBus(function);
        Cable cable = new Cable().at(function);
        List<ByteBuffer> sent = new ArrayList<>();
        try (VirtioNetGuest guest = VirtioNetGuest.boot(bus, GuestRam.allocate())) {
            bus.heldQueue = TRANSMIT_QUEUE;
            for (int number = 0; number < 32; number++) {
                sent.add(Cable.frame(number, 60));
                Cable.deliver(function, sent.get(number));
            }
            assertThat(function.deliver(Cable.frame(32, 60))).isEqualTo(Delivery.NOT_READY);
            // The processor has gone over all queues once more when it has the answer.
            assertThat(accepted(guest, NetControl.RX_ALLMULTI, new byte[] {1})).isTrue();
            assertThat(cable.count()).isZero();

            bus.heldQueue = -1;
            guest.pause();
            guest.resume();
            assertThat(cable.await(sent.size())).isEqualTo(sent);
            assertThat(guest.failure()).isEmpty();
        }
    }

    @Test
    void shouldSeeAFrameThatArrivesWhileItGoesToSleep() throws Exception {
        VirtioNetFunction function = function(1, 256);
        Cable cable = new Cable().at(function);
        try (VirtioNetGuest guest = VirtioNetGuest.boot(function, GuestRam.allocate())) {
            for (int number = 1; number <= 20_000; number++) {
                Cable.deliver(function, Cable.frame(number, 60));
                assertThat(cable.spin(number)).isTrue();
            }
            assertThat(guest.failure()).isEmpty();
        }
    }

    @Test
    void shouldContinueWhenTheDeviceWasStoppedMeanwhile() throws Exception {
        VirtioNetFunction function = function(1, 64);
        Cable cable = new Cable().at(function);
        List<ByteBuffer> sent = new ArrayList<>();
        try (VirtioNetGuest guest = VirtioNetGuest.boot(function, GuestRam.allocate())) {
            for (int number = 0; number < 2_000; number++) {
                sent.add(Cable.frame(number, 60));
                Cable.deliver(function, sent.get(number));
                if (number % 50 == 0) {
                    // The guest may be kept off its processor for long within an interrupt.
                    Await.until("the stop", () -> function.setStopped(true));
                    assertThat(function.deliver(sent.get(number))).isEqualTo(Delivery.NOT_READY);
                    function.setStopped(false);
                }
            }
            assertThat(cable.await(sent.size())).isEqualTo(sent);
            assertThat(guest.failure()).isEmpty();
        }
    }

    @Test
    void shouldSayThatWhoeverTakesItsFramesFailedWithAnError() throws Exception {
        VirtioNetFunction function = function(1, 64);
        CountDownLatch called = new CountDownLatch(1);
        function.connect(frame -> {
            called.countDown();
            throw new NoClassDefFoundError("network/Sink");
        });
        try (VirtioNetGuest guest = VirtioNetGuest.boot(function, GuestRam.allocate())) {
            Cable.deliver(function, Cable.frame(0, 60));
            assertThat(called.await(30, TimeUnit.SECONDS)).isTrue();
            guest.pause();
            assertThat(guest.failure()).contains("java.lang.NoClassDefFoundError: network/Sink");
            function.setStopped(true);
            assertThat(function.isStopped()).as("nobody has its lock").isTrue();
        }
    }

    @Test
    void shouldResetTheFunctionAndLeaveNoThreadWhenClosed() throws Exception {
        VirtioNetFunction function = function(1, 256);
        VirtioNetGuest guest = VirtioNetGuest.boot(function, GuestRam.allocate());
        assertThat(function.readBar(VIRTIO_BAR, DEVICE_STATUS, 1) & DeviceStatus.DRIVER_OK)
                .isEqualTo(DeviceStatus.DRIVER_OK);
        assertThat(threads()).contains("ferry-guest-h/vf1");

        guest.close();
        guest.close();

        assertThat(threads()).doesNotContain("ferry-guest-h/vf1");
        assertThat(function.deliver(Cable.frame(0, 60))).isEqualTo(Delivery.NOT_READY);
        function.writeConfig(COMMAND, 2, 2);
        assertThat(function.readBar(VIRTIO_BAR, DEVICE_STATUS, 1)).isZero();
        assertThatThrownBy(() -> accepted(guest, NetControl.RX_PROMISC, new byte[] {1}))
                .isInstanceOf(ExecutionException.class)
                .hasCauseInstanceOf(IOException.class);
    }

    @Test
    void shouldCloseBesideAFunctionThatWasPulledOut() throws Exception {
        VirtioNetFunction function = function(1, 256);
        VirtioNetGuest guest = VirtioNetGuest.boot(function, GuestRam.allocate());
        function.remove();
        guest.close();
        assertThat(threads()).doesNotContain("ferry-guest-h/vf1");
    }

    @Test
    void shouldBootOnAFunctionWithALeftOverDriver() throws Exception {
        VirtioNetFunction function = function(1, 256);
        Cable cable = new Cable().at(function);
        try (VirtioNetGuest forgotten = VirtioNetGuest.boot(function, GuestRam.allocate());
                VirtioNetGuest guest = VirtioNetGuest.boot(function, GuestRam.allocate())) {
            Cable.deliver(function, Cable.frame(0, 60));
            assertThat(cable.await(1)).containsExactly(Cable.frame(0, 60));
            assertThat(guest.forwardedFrames()).isOne();
            assertThat(forgotten.forwardedFrames()).isZero();
        }
    }

    @Test
    void shouldRefuseToBootWithTooLittleMemoryOrTooFewQueues() {
        VirtioNetFunction function = function(2, 256);
        assertThatThrownBy(() -> VirtioNetGuest.boot(function, GuestRam.allocate(1 << 20)))
                .isInstanceOf(IOException.class)
                .hasMessage("the guest needs more than its 1048576 bytes of memory for 1 queue pairs");
        assertThatThrownBy(() -> VirtioNetGuest.boot(
                        function, GuestRam.allocate(), GuestOptions.defaults().withQueuePairs(3)))
                .isInstanceOf(IOException.class)
                .hasMessage("h/vf1 has 2 queue pairs, not 3");
        assertThat(threads()).doesNotContain("ferry-guest-h/vf1");
    }

    @Test
    void shouldRefuseToContinueFromMemoryWithoutADriver() throws IOException {
        try (VirtioNetGuest guest = VirtioNetGuest.attach(function(1, 256), GuestRam.allocate())) {
            assertThatThrownBy(guest::resume)
                    .isInstanceOf(IOException.class)
                    .hasMessageStartingWith("the guest memory holds no driver");
        }
    }

    private static boolean accepted(VirtioNetGuest guest, NetControl control, byte[] data) throws Exception {
        return guest.control(control, data).toCompletableFuture().get(30, TimeUnit.SECONDS);
    }

    private static ByteBuffer frameTo(byte[] address) {
        return ByteBuffer.wrap(new byte[60]).put(0, address);
    }

    private static List<String> threads() {
        return Thread.getAllStackTraces().keySet().stream().map(Thread::getName).toList();
    }

    private static VirtioNetFunction function(int queuePairs, int queueSize) {
        return new VirtioNetFunction(new FunctionConfig(
                "h/vf1", MAC, queuePairs, queueSize, FunctionConfig.defaultFeatures(queuePairs)));
    }
}
