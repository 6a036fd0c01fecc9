// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static dev.ferry.emulator.internal.net.TestFunctions.frame;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.IovaRange;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import dev.ferry.emulator.internal.member.ContextDevice;
import dev.ferry.emulator.internal.member.WriteRecording.Records;
import dev.ferry.virtio.context.DeviceMode;
import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** A device at work, in the modes of the context command set, and the pages it writes. */
@Timeout(60)
class FrozenDeviceTest {

    private static final long RING_PACKED = 1L << 34;
    private static final long PAGE = 4096;
    /** More than all memory of the test driver, from 0. */
    private static final IovaRange ALL = new IovaRange(0, 1L << 40);

    private final VirtioNetFunction function = TestFunctions.function(1);
    private final ContextDevice context = function.context();
    private final TestDriver driver = new TestDriver(function);
    private final List<byte[]> sent = TestFunctions.sink(function);

    private byte[] capture() {
        ByteBuffer into = ByteBuffer.allocate(context.maxContextSize());
        while (context.readContext(into) > 0) {
            assertThat(into.position()).isPositive();
        }
        byte[] bytes = new byte[into.position()];
        into.get(0, bytes);
        return bytes;
    }

    private void set(DeviceMode mode) {
        assertThat(context.setMode(mode).result().isOk()).isTrue();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, RING_PACKED})
    void shouldHoldKicksInFreezeAndSendWhenActiveAgain(long features) {
        driver.start(TestFunctions.VERSION_1 | features, 16);
        set(DeviceMode.FREEZE);
        byte[] before = capture();

        driver.transmit(1, frame(60, 1));

        assertThat(sent).isEmpty();
        assertThat(capture()).as("the context cannot change").isEqualTo(before);
        set(DeviceMode.STOP);
        assertThat(sent).as("still quiesced").isEmpty();
        assertThat(capture()).as("the kick is pending").isNotEqualTo(before);
        set(DeviceMode.ACTIVE);
        assertThat(sent).containsExactly(frame(60, 1));
    }

    @ParameterizedTest
    @ValueSource(strings = {"STOP", "FREEZE"})
    void shouldInitiateNothingUnlessActive(DeviceMode mode) {
        driver.start(TestFunctions.VERSION_1, 16);
        driver.queue(0).add(TestQueue.Part.in(driver.buffer(2048), 2048));
        set(mode);

        driver.transmit(1, frame(60, 1));

        assertThat(function.deliver(ByteBuffer.wrap(frame(60, 2)))).isEqualTo(Delivery.NOT_READY);
        assertThat(sent).isEmpty();
        assertThat(driver.interrupts).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(longs = {0, RING_PACKED})
    void shouldGoOnAtThePositionOfTheContextOnAnotherFunction(long features) {
        driver.start(TestFunctions.VERSION_1 | features, 16);
        for (int i = 0; i < 21; i++) {
            driver.transmit(1, frame(60, i));
            driver.queue(1).takeUsed();
        }
        set(DeviceMode.FREEZE);
        VirtioNetFunction other = new VirtioNetFunction(new FunctionConfig(
                "host2/pf0/vf1", TestFunctions.MAC, 4, 1024, FunctionConfig.defaultFeatures(4)));
        assertThat(other.context().setMode(DeviceMode.FREEZE).result().isOk()).isTrue();
        assertThat(other.context().writeContext(ByteBuffer.wrap(capture())).isOk()).isTrue();
        TestDriver moved = driver.movedTo(other);
        List<byte[]> sentThere = TestFunctions.sink(other);

        assertThat(other.context().setMode(DeviceMode.ACTIVE).result().isOk()).isTrue();
        moved.transmit(1, frame(60, 99));

        assertThat(sentThere).containsExactly(frame(60, 99));
        assertThat(moved.queue(1).takeUsed()).hasSize(1);
    }

    // --- write records

    private Records recorded() {
        return context.writeRecords().read(ALL, 1000, false);
    }

    private static boolean covers(Records records, long iova) {
        return records.records().stream().anyMatch(record -> record.iova() <= iova && iova < record.end());
    }

    @ParameterizedTest
    @ValueSource(longs = {0, RING_PACKED})
    void shouldRecordThePagesOfBuffersAndRings(long features) {
        driver.start(TestFunctions.VERSION_1 | features, 16);
        long buffer = driver.buffer(2048);
        driver.queue(0).add(TestQueue.Part.in(buffer, 2048));
        context.writeRecords().start(PAGE, List.of(ALL));
        assertThat(recorded().records()).isEmpty();

        assertThat(function.deliver(ByteBuffer.wrap(frame(60, 2)))).isEqualTo(Delivery.TAKEN);

        Records records = recorded();
        assertThat(covers(records, buffer)).isTrue();
        assertThat(records.records()).allMatch(record -> record.iova() % PAGE == 0 && record.length() % PAGE == 0);
        assertThat(recorded().records()).as("cleared").isEmpty();
    }

    @Test
    void shouldRecordOnAcrossResetsAndNothingOnceStopped() {
        driver.start(TestFunctions.VERSION_1, 16);
        context.writeRecords().start(PAGE, List.of(ALL));
        driver.transmit(1, frame(60, 1));
        context.resetFunction();
        assertThat(recorded().records()).as("records are kept").isNotEmpty();
        set(DeviceMode.STOP);
        driver.transmit(1, frame(60, 1));
        assertThat(recorded().records()).as("no new ones in STOP").isEmpty();

        context.writeRecords().stop();

        assertThat(context.writeRecords().isStarted()).isFalse();
    }
}
