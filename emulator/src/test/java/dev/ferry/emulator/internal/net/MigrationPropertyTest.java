// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.NetworkPort.Delivery;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.IntStream;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;

/** Frames go in and out while the device is stopped, resumed and moved at any point. */
class MigrationPropertyTest {

    enum Op {
        DELIVER,
        DELIVER_LARGE,
        TRANSMIT,
        TRANSMIT_INDIRECT,
        TRANSMIT_WITHOUT_NOTIFICATION,
        STOP,
        RESUME,
        MIGRATE
    }

    private static final int RX_BUFFER = 512;

    private VirtioNetFunction function;
    private TestDriver driver;
    private final List<Integer> transmitted = new ArrayList<>();
    private final List<Integer> received = new ArrayList<>();
    private final long[] rxBufferOfHead = new long[16];
    private int nextOut;
    private int nextIn;

    @Property(tries = 300)
    void shouldLoseDoubleOrReorderNothing(
            @ForAll @Size(max = 60) List<Op> ops, @ForAll boolean eventIdx, @ForAll boolean packed) {
        function = TestFunctions.function(1);
        driver = new TestDriver(function)
                .start(
                        TestFunctions.VERSION_1
                                | TestFunctions.MRG_RXBUF
                                | TestFunctions.INDIRECT_DESC
                                | (eventIdx ? TestFunctions.EVENT_IDX : 0)
                                | (packed ? TestFunctions.RING_PACKED : 0),
                        16);
        connect();
        for (int i = 0; i < 16; i++) {
            offer(driver.buffer(RX_BUFFER));
        }
        ops.forEach(this::perform);
        function.setStopped(false);
        driver.queue(1).kick();
        drain();
        assertThat(transmitted).isEqualTo(IntStream.range(0, nextOut).boxed().toList());
        assertThat(received).isEqualTo(IntStream.range(0, nextIn).boxed().toList());
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(15);
    }

    private void connect() {
        function.connect(frame -> transmitted.add(
                frame.duplicate().order(java.nio.ByteOrder.BIG_ENDIAN).getInt(frame.limit() - 4)));
    }

    private void perform(Op op) {
        switch (op) {
            case DELIVER -> deliver(60);
            case DELIVER_LARGE -> deliver(3000);
            case TRANSMIT -> driver.transmit(1, TestFunctions.frame(60, nextOut++));
            case TRANSMIT_INDIRECT -> {
                long frame = driver.bufferOf(TestFunctions.frame(200, nextOut++));
                driver.queue(1)
                        .addIndirect(
                                driver.buffer(48),
                                TestQueue.Part.out(driver.buffer(12), 12),
                                TestQueue.Part.out(frame, 100),
                                TestQueue.Part.out(frame + 100, 100));
                driver.queue(1).kick();
            }
            case TRANSMIT_WITHOUT_NOTIFICATION -> {
                byte[] packet = ByteBuffer.allocate(72)
                        .put(12, TestFunctions.frame(60, nextOut++))
                        .array();
                driver.queue(1).add(TestQueue.Part.out(driver.bufferOf(packet), 72));
            }
            case STOP -> function.setStopped(true);
            case RESUME -> function.setStopped(false);
            case MIGRATE -> migrate();
        }
        drain();
    }

    private void deliver(int length) {
        if (function.deliver(ByteBuffer.wrap(TestFunctions.frame(length, nextIn))) == Delivery.TAKEN) {
            nextIn++;
        }
    }

    private void migrate() {
        function.setStopped(true);
        VirtioNetFunction destination = TestFunctions.function(1);
        destination.setStopped(true);
        assertThat(destination
                        .loadParts(ByteBuffer.wrap(TestFunctions.capture(function)))
                        .isOk())
                .isTrue();
        driver = driver.movedTo(destination);
        function = destination;
        connect();
        function.setStopped(false);
    }

    /** The guest: takes what was used, and gives receive buffers back. */
    private void drain() {
        if (driver.queue(1).availIdx - driver.queue(1).usedIdx >= 15 && function.isStopped()) {
            function.setStopped(false);
            driver.queue(1).kick();
        }
        driver.queue(1).takeUsed();
        if (driver.queue(1).availIdx - driver.queue(1).usedIdx >= 15) {
            driver.queue(1).kick();
            driver.queue(1).takeUsed();
        }
        List<TestQueue.Used> used = driver.queue(0).takeUsed();
        for (int i = 0; i < used.size(); ) {
            long first = rxBufferOfHead[used.get(i).id()];
            int buffers = Short.toUnsignedInt(driver.memory.getShort(driver.at(first) + 10));
            assertThat(buffers).isBetween(1, used.size() - i);
            TestQueue.Used last = used.get(i + buffers - 1);
            int end = driver.at(rxBufferOfHead[last.id()]) + last.length();
            received.add(Integer.reverseBytes(driver.memory.getInt(end - 4)));
            i += buffers;
        }
        List<Long> free = used.stream().map(one -> rxBufferOfHead[one.id()]).toList();
        free.forEach(this::offer);
    }

    private void offer(long buffer) {
        int head = driver.queue(0).add(TestQueue.Part.in(buffer, RX_BUFFER));
        rxBufferOfHead[head] = buffer;
    }
}
