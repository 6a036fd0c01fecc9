// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class PciFaceTest {

    private final VirtioNetFunction function = TestFunctions.function(2);
    private final TestDriver driver = new TestDriver(function);

    @Test
    void shouldBeAVirtioNetFunctionWhenItsHeaderIsRead() {
        assertThat(function.readConfig(0x00, 4)).isEqualTo(0x1041_1AF4L);
        assertThat(function.readConfig(0x08, 1)).isGreaterThanOrEqualTo(1);
        assertThat(function.readConfig(0x08, 4) >>> 8).as("class").isEqualTo(0x020000);
        assertThat(function.readConfig(0x06, 2) & 0x10).as("capability list").isEqualTo(0x10);
        assertThat(function.readConfig(0x100, 4)).as("extended capabilities").isZero();
    }

    @Test
    void shouldShowSizeOfBarsWhenAllOnesAreWritten() {
        for (int bar = 0; bar < 6; bar += 2) {
            int register = 0x10 + 4 * bar;
            function.writeConfig(register, 4, 0xFFFF_FFFFL);
            function.writeConfig(register + 4, 4, 0xFFFF_FFFFL);
            long low = function.readConfig(register, 4);
            long high = function.readConfig(register + 4, 4);
            if (function.barSize(bar) == 0) {
                assertThat(low | high).as("BAR %d", bar).isZero();
            } else {
                assertThat(low & 0xF).as("flags of BAR %d", bar).isEqualTo(0x4);
                assertThat(-(high << 32 | low & ~0xFL)).as("BAR %d", bar).isEqualTo(function.barSize(bar));
            }
        }
    }

    @Test
    void shouldKeepStructuresWithinTheirBarsAndApart() {
        assertThat(driver.common.length()).isEqualTo(64);
        assertThat(driver.notify.length()).isEqualTo(5 * driver.multiplier);
        for (TestDriver.Place place : List.of(driver.common, driver.notify, driver.isr, driver.device)) {
            assertThat(place.offset() + place.length()).isLessThanOrEqualTo(function.barSize(place.bar()));
        }
        assertThat(driver.table.offset() + 6 * 16).isLessThanOrEqualTo(driver.pending.offset());
        assertThat(driver.table.bar()).isEqualTo(driver.pending.bar()).isNotEqualTo(driver.common.bar());
    }

    @Test
    void shouldNotAnswerInBarsWhenMemoryIsDisabled() {
        function.writeConfig(0x04, 2, 0x0004);
        assertThat(driver.read(TestDriver.NUM_QUEUES, 2)).isEqualTo(0xFFFF);
        driver.write(TestDriver.DEVICE_STATUS, 1, 1);
        function.writeConfig(0x04, 2, 0x0006);
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isZero();
        assertThat(driver.read(TestDriver.NUM_QUEUES, 2)).isEqualTo(5);
    }

    @Test
    void shouldWaitWithDmaWhenBusMasterIsOff() {
        List<byte[]> sent = TestFunctions.sink(function);
        driver.start(TestFunctions.VERSION_1, 16);
        function.writeConfig(0x04, 2, 0x0002);
        driver.transmit(1, TestFunctions.frame(60, 1));
        assertThat(sent).isEmpty();
        function.writeConfig(0x04, 2, 0x0006);
        assertThat(sent).hasSize(1);
        assertThat(driver.interrupts).containsExactly(2);
    }

    @Test
    void shouldHoldMessagePendingWhileVectorIsMasked() {
        driver.start(TestFunctions.VERSION_1, 16);
        long control = driver.table.offset() + 2 * 16 + 12;
        function.writeBar(driver.table.bar(), control, 4, 1);
        driver.transmit(1, TestFunctions.frame(60, 1));
        assertThat(driver.interrupts).isEmpty();
        assertThat(function.readBar(driver.pending.bar(), driver.pending.offset(), 8)).isEqualTo(1 << 2);
        function.writeBar(driver.table.bar(), control, 4, 0);
        assertThat(driver.interrupts).containsExactly(2);
        assertThat(driver.lastMessage).isEqualTo("2: 0xfee00000 = 0x42");
        assertThat(function.readBar(driver.pending.bar(), driver.pending.offset(), 8)).isZero();
    }

    @Test
    void shouldHoldMessagesPendingWhileFunctionIsMasked() {
        driver.start(TestFunctions.VERSION_1, 16);
        function.writeConfig(driver.msixCap + 2, 2, 0xC000);
        driver.transmit(1, TestFunctions.frame(60, 1));
        assertThat(driver.interrupts).isEmpty();
        function.writeConfig(driver.msixCap + 2, 2, 0x8000);
        assertThat(driver.interrupts).containsExactly(2);
    }

    @Test
    void shouldSendTheOtherMessagesWhenTheListenerFailsAtOne() {
        driver.start(TestFunctions.VERSION_1, 16);
        List<Integer> messages = new ArrayList<>();
        function.attach(driver.dma, (vector, address, data) -> {
            messages.add(vector);
            throw new IllegalStateException("on purpose");
        });
        function.writeConfig(driver.msixCap + 2, 2, 0xC000);
        driver.transmit(1, TestFunctions.frame(60, 1));
        driver.transmit(3, TestFunctions.frame(60, 2));
        function.writeConfig(driver.msixCap + 2, 2, 0x8000);
        assertThat(messages).containsExactly(2, 4);
        function.setStopped(true);
        assertThat(function.isStopped()).as("no sender is left").isTrue();
    }

    @Test
    void shouldSetIsrStatusWhenMsixIsOff() {
        driver.start(TestFunctions.VERSION_1, 16);
        function.writeConfig(driver.msixCap + 2, 2, 0);
        driver.transmit(1, TestFunctions.frame(60, 1));
        assertThat(driver.interrupts).isEmpty();
        assertThat(function.readBar(driver.isr.bar(), driver.isr.offset(), 1)).isEqualTo(1);
        assertThat(function.readBar(driver.isr.bar(), driver.isr.offset(), 1)).as("after reading").isZero();
    }

    @Test
    void shouldReachRegistersThroughConfigurationSpaceWhenMemoryIsDisabled() {
        int window = driver.virtioCap(5);
        function.writeConfig(0x04, 2, 0);
        function.writeConfig(window + 4, 1, driver.common.bar());
        function.writeConfig(window + 8, 4, driver.common.offset() + TestDriver.NUM_QUEUES);
        function.writeConfig(window + 12, 4, 2);
        assertThat(function.readConfig(window + 16, 4)).isEqualTo(5);
        function.writeConfig(window + 8, 4, driver.common.offset() + TestDriver.DEVICE_STATUS);
        function.writeConfig(window + 12, 4, 1);
        function.writeConfig(window + 16, 4, 1);
        function.writeConfig(0x04, 2, 2);
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(1);
    }

    @Test
    void shouldForgetEverythingWhenFunctionLevelResetIsWritten() {
        driver.start(TestFunctions.VERSION_1, 16);
        function.setStopped(true);
        assertThat(function.readConfig(driver.expressCap + 4, 4) & 1 << 28).as("FLR capable").isNotZero();
        long control = function.readConfig(driver.expressCap + 8, 2);
        function.writeConfig(driver.expressCap + 8, 2, control | 0x8000);
        assertThat(function.readConfig(0x04, 2)).isZero();
        assertThat(function.readConfig(driver.msixCap + 2, 2) & 0xC000).isZero();
        assertThat(function.readConfig(driver.expressCap + 8, 2) & 0x8000).isZero();
        assertThat(function.isStopped()).as("the mode is the owner's").isTrue();
        function.writeConfig(0x04, 2, 6);
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isZero();
        assertThat(driver.read(TestDriver.QUEUE_ENABLE, 2)).isZero();
        assertThat(function.readBar(driver.table.bar(), driver.table.offset() + 12, 4)).as("masked").isEqualTo(1);
    }

    @Test
    void shouldDoNoDmaWhenTheGuestResetsAStoppedFunction() {
        List<byte[]> sent = TestFunctions.sink(function);
        driver.start(TestFunctions.VERSION_1, 16);
        function.setStopped(true);
        function.writeConfig(driver.expressCap + 8, 2, 0x8000);
        function.writeConfig(0x04, 2, 6);
        driver.start(TestFunctions.VERSION_1, 16).transmit(1, TestFunctions.frame(60, 1));
        assertThat(sent).isEmpty();
        assertThat(driver.queue(1).deviceUsedIdx()).isZero();
        function.setStopped(false);
        assertThat(sent).hasSize(1);
    }

    @Test
    void shouldKeepPciConfigurationWhenOwnerResetsTheFunction() {
        driver.start(TestFunctions.VERSION_1, 16);
        function.setStopped(true);
        function.resetFunction();
        assertThat(function.isStopped()).isFalse();
        assertThat(function.readConfig(0x04, 2)).isEqualTo(6);
        assertThat(function.readConfig(driver.msixCap + 2, 2) & 0x8000).isEqualTo(0x8000);
        assertThat(function.readBar(driver.table.bar(), driver.table.offset() + 16 + 8, 4)).isEqualTo(0x41);
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isZero();
        List<byte[]> sent = TestFunctions.sink(function);
        driver.start(TestFunctions.VERSION_1, 16).transmit(1, TestFunctions.frame(60, 1));
        assertThat(sent).hasSize(1);
    }

    @Test
    void shouldReadAsAllOnesWhenRemoved() {
        driver.start(TestFunctions.VERSION_1, 16);
        function.remove();
        assertThat(function.readConfig(0, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(0xFF);
        assertThat(driver.read(TestDriver.QUEUE_DESC, 8)).isEqualTo(-1L);
        driver.write(TestDriver.DEVICE_STATUS, 1, 0);
        function.writeConfig(0x04, 2, 6);
        function.attach(driver.dma, driver);
        assertThat(function.readConfig(0x04, 2)).isEqualTo(0xFFFF);
        assertThat(function.deliver(java.nio.ByteBuffer.allocate(60)))
                .isEqualTo(dev.ferry.emulator.control.NetworkPort.Delivery.NOT_READY);
    }

    @Test
    void shouldIgnoreAccessesThatNothingAnswers() {
        assertThat(function.readConfig(3, 2)).isEqualTo(0xFFFF);
        assertThat(function.readConfig(4096, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(function.readBar(0, 0, 4)).isEqualTo(0xFFFF_FFFFL);
        assertThat(function.readBar(driver.common.bar(), -8, 8)).isEqualTo(-1L);
        assertThat(driver.read(TestDriver.NUM_QUEUES, 1)).as("half a field").isEqualTo(0xFF);
    }
}
