// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static dev.ferry.emulator.internal.net.TestFunctions.frame;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.control.NetworkPort.Delivery;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class ControlQueueTest {

    private static final int CTRL = 2;
    private static final int OK = 0;
    private static final int ERR = 1;
    private static final byte[] OTHER = {2, 0, 0, 0, 0, 9};
    private static final byte[] GROUP = {1, 0, 0x5E, 0, 0, 9};
    private static final byte[] BROADCAST = {-1, -1, -1, -1, -1, -1};
    private static final long FEATURES = TestFunctions.VERSION_1
            | TestFunctions.CTRL_VQ
            | TestFunctions.CTRL_RX
            | TestFunctions.CTRL_RX_EXTRA
            | TestFunctions.CTRL_MAC_ADDR;

    private final VirtioNetFunction function = TestFunctions.function(1);
    private final TestDriver driver = new TestDriver(function);

    @BeforeEach
    void start() {
        start(FEATURES);
    }

    private void start(long features) {
        driver.start(features, 64);
        for (int i = 0; i < 60; i++) {
            driver.queue(0).add(TestQueue.Part.in(driver.buffer(128), 128));
        }
    }

    private boolean takes(byte[] destination) {
        return takes(ByteBuffer.wrap(frame(destination, 60, 1)));
    }

    private boolean takes(ByteBuffer frame) {
        Delivery delivery = function.deliver(frame);
        assertThat(delivery).isIn(Delivery.TAKEN, Delivery.FILTERED);
        return delivery == Delivery.TAKEN;
    }

    private int mode(int command, int on) {
        return driver.control(CTRL, 0, command, (byte) on);
    }

    private static byte[] table(byte[][] unicast, byte[][] multicast) {
        ByteBuffer data = ByteBuffer.allocate(8 + 6 * (unicast.length + multicast.length))
                .order(ByteOrder.LITTLE_ENDIAN);
        data.putInt(unicast.length);
        for (byte[] address : unicast) {
            data.put(address);
        }
        data.putInt(multicast.length);
        for (byte[] address : multicast) {
            data.put(address);
        }
        return data.array();
    }

    @Test
    void shouldTakeOwnAddressAndBroadcastOnlyAfterReset() {
        assertThat(takes(TestFunctions.MAC)).isTrue();
        assertThat(takes(BROADCAST)).isTrue();
        assertThat(takes(OTHER)).isFalse();
        assertThat(takes(GROUP)).isFalse();
    }

    @Test
    void shouldTakeEverythingWithoutCtrlRx() {
        start(TestFunctions.VERSION_1 | TestFunctions.CTRL_VQ);
        assertThat(takes(OTHER)).isTrue();
        assertThat(takes(GROUP)).isTrue();
    }

    @Test
    void shouldTakeEverythingInPromiscuousModeWhateverElseIsOn() {
        assertThat(mode(0, 1)).isEqualTo(OK);
        assertThat(mode(3, 1)).isEqualTo(OK);
        assertThat(mode(4, 1)).isEqualTo(OK);
        assertThat(takes(OTHER)).isTrue();
        assertThat(takes(GROUP)).isTrue();
        assertThat(mode(0, 0)).isEqualTo(OK);
        assertThat(takes(TestFunctions.MAC)).isFalse();
    }

    @Test
    void shouldFollowEachReceiveMode() {
        assertThat(mode(1, 1)).isEqualTo(OK);
        assertThat(takes(GROUP)).as("allmulti").isTrue();
        assertThat(takes(OTHER)).isFalse();
        assertThat(mode(3, 1)).isEqualTo(OK);
        assertThat(takes(GROUP)).as("nomulti beats allmulti").isFalse();
        assertThat(takes(BROADCAST)).as("nomulti leaves broadcast").isTrue();
        assertThat(mode(2, 1)).isEqualTo(OK);
        assertThat(takes(OTHER)).as("alluni").isTrue();
        assertThat(mode(4, 1)).isEqualTo(OK);
        assertThat(takes(OTHER)).as("nouni beats alluni").isFalse();
        assertThat(takes(TestFunctions.MAC)).as("nouni").isFalse();
        assertThat(mode(5, 1)).isEqualTo(OK);
        assertThat(takes(BROADCAST)).as("nobcast").isFalse();
    }

    @Test
    void shouldTakeAddressesOfTheTables() {
        byte[] data = table(new byte[][] {OTHER}, new byte[][] {GROUP});
        assertThat(driver.control(CTRL, 1, 0, data)).isEqualTo(OK);
        assertThat(takes(OTHER)).isTrue();
        assertThat(takes(GROUP)).isTrue();
        assertThat(driver.control(CTRL, 1, 0, table(new byte[0][], new byte[0][]))).isEqualTo(OK);
        assertThat(takes(OTHER)).isFalse();
    }

    @Test
    void shouldRefuseTablesThatAreCutOffOrTooLarge() {
        assertThat(driver.control(CTRL, 1, 0, (byte) 1, (byte) 0, (byte) 0, (byte) 0)).isEqualTo(ERR);
        assertThat(driver.control(CTRL, 1, 0, (byte) -1, (byte) -1, (byte) -1, (byte) 127)).isEqualTo(ERR);
        assertThat(driver.control(CTRL, 1, 0, table(new byte[200][6], new byte[57][6]))).isEqualTo(ERR);
        assertThat(driver.control(CTRL, 1, 0, table(new byte[200][6], new byte[56][6]))).isEqualTo(OK);
    }

    @Test
    void shouldChangeItsAddressAndShowItInConfiguration() {
        assertThat(driver.control(CTRL, 1, 1, OTHER)).isEqualTo(OK);
        assertThat(takes(OTHER)).isTrue();
        assertThat(takes(TestFunctions.MAC)).isFalse();
        assertThat(driver.readDevice(5, 1)).isEqualTo(9);
        driver.write(TestDriver.DEVICE_STATUS, 1, 0);
        assertThat(driver.readDevice(5, 1)).as("after reset").isEqualTo(0x56);
    }

    @Test
    void shouldFilterTaggedFramesByVlanTable() {
        start(FEATURES | TestFunctions.CTRL_VLAN);
        ByteBuffer tagged = ByteBuffer.wrap(frame(TestFunctions.MAC, 64, 1))
                .putShort(12, (short) 0x8100)
                .putShort(14, (short) 0xE123);
        assertThat(takes(tagged)).isFalse();
        assertThat(takes(TestFunctions.MAC)).as("untagged").isTrue();
        assertThat(driver.control(CTRL, 2, 0, (byte) 0x23, (byte) 0x01)).isEqualTo(OK);
        assertThat(takes(tagged)).isTrue();
        assertThat(driver.control(CTRL, 2, 1, (byte) 0x23, (byte) 0x01)).isEqualTo(OK);
        assertThat(takes(tagged)).isFalse();
        assertThat(driver.control(CTRL, 2, 0, (byte) 0, (byte) 0x10)).as("4096").isEqualTo(ERR);
    }

    @Test
    void shouldTakeTaggedFramesWhenFilterIsNotNegotiated() {
        ByteBuffer tagged = ByteBuffer.wrap(frame(TestFunctions.MAC, 64, 1)).putShort(12, (short) 0x8100);
        assertThat(takes(tagged)).isTrue();
    }

    @Test
    void shouldRefuseWhatItDoesNotKnowOrWasNotNegotiated() {
        assertThat(driver.control(CTRL, 9, 0)).isEqualTo(ERR);
        assertThat(driver.control(CTRL, 0, 6, (byte) 1)).isEqualTo(ERR);
        assertThat(driver.control(CTRL, 4, 0, (byte) 1, (byte) 0)).as("no MQ").isEqualTo(ERR);
        assertThat(driver.control(CTRL, 2, 0, (byte) 1, (byte) 0)).as("no VLAN").isEqualTo(ERR);
        assertThat(driver.control(CTRL, 3, 0)).as("no announce").isEqualTo(ERR);
        assertThat(mode(0, 2)).as("neither 0 nor 1").isEqualTo(ERR);
        assertThat(driver.control(CTRL, 0, 0)).as("no data").isEqualTo(ERR);
    }

    @Test
    void shouldInterruptAndWriteOneByteWhenCommandIsDone() {
        driver.interrupts.clear();
        long command = driver.bufferOf(new byte[] {0, 0, 1});
        driver.queue(CTRL)
                .add(
                        TestQueue.Part.out(command, 2),
                        TestQueue.Part.out(command + 2, 1),
                        TestQueue.Part.in(driver.buffer(8), 8));
        driver.queue(CTRL).kick();
        assertThat(driver.queue(CTRL).takeUsed()).containsExactly(new TestQueue.Used(0, 1));
        assertThat(driver.interrupts).containsExactly(3);
        assertThat(takes(OTHER)).isTrue();
    }

    @Test
    void shouldFindControlQueueBehindAllPairsWithMqOnly() {
        VirtioNetFunction four = TestFunctions.function(4);
        TestDriver multi = new TestDriver(four).start(FEATURES | TestFunctions.MQ, 16);
        assertThat(multi.control(8, 4, 0, (byte) 4, (byte) 0)).isEqualTo(OK);
        assertThat(multi.control(8, 4, 0, (byte) 5, (byte) 0)).isEqualTo(ERR);
        assertThat(multi.control(8, 4, 0, (byte) 0, (byte) 0)).isEqualTo(ERR);
        multi.start(FEATURES, 16);
        assertThat(multi.control(2, 0, 0, (byte) 1)).isEqualTo(OK);
    }

    @Test
    void shouldNeedResetWhenCommandHasNoRoomForItsAnswer() {
        driver.queue(CTRL).add(TestQueue.Part.out(driver.bufferOf(new byte[] {0, 0, 1}), 3));
        driver.queue(CTRL).kick();
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1) & 64).isEqualTo(64);
    }
}
