// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.List;
import org.junit.jupiter.api.Test;

class CommonConfigTest {

    private final VirtioNetFunction function = TestFunctions.function(2);
    private final TestDriver driver = new TestDriver(function);

    private void negotiate(long features) {
        driver.write(TestDriver.DEVICE_STATUS, 1, 1);
        driver.write(TestDriver.DEVICE_STATUS, 1, 3);
        driver.takeFeatures(features);
        driver.write(TestDriver.DEVICE_STATUS, 1, 11);
    }

    @Test
    void shouldOfferFeaturesInWordsOf32Bits() {
        assertThat(driver.offeredFeatures())
                .isEqualTo(1L << 5 | 1L << 15 | 0xFFL << 16 | 3L << 28 | 7L << 32 | 1L << 36 | 1L << 40 | 1L << 57
                        | 1L << 60);
        driver.write(TestDriver.DEVICE_FEATURE_SELECT, 4, 2);
        assertThat(driver.read(TestDriver.DEVICE_FEATURE, 4)).isZero();
    }

    @Test
    void shouldRefuseFeaturesWithoutVersion1() {
        negotiate(TestFunctions.STATUS);
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(3);
    }

    @Test
    void shouldRefuseFeaturesThatAreNotOffered() {
        negotiate(TestFunctions.VERSION_1 | 1L << 35);
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(3);
    }

    @Test
    void shouldRefuseFeatureThatLacksTheOneItRequires() {
        negotiate(TestFunctions.VERSION_1 | TestFunctions.CTRL_RX);
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(3);
    }

    @Test
    void shouldKeepFeaturesWhenTheyAreWrittenAfterFeaturesOk() {
        negotiate(TestFunctions.VERSION_1);
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(11);
        driver.takeFeatures(TestFunctions.VERSION_1 | TestFunctions.STATUS);
        driver.write(TestDriver.DRIVER_FEATURE_SELECT, 4, 0);
        assertThat(driver.read(TestDriver.DRIVER_FEATURE, 4)).isZero();
    }

    @Test
    void shouldBeAsNewWhenZeroIsWrittenToStatus() {
        driver.start(TestFunctions.VERSION_1, 16);
        driver.write(TestDriver.DEVICE_STATUS, 1, 0);
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isZero();
        assertThat(driver.read(TestDriver.CONFIG_MSIX_VECTOR, 2)).isEqualTo(0xFFFF);
        for (int i = 0; i < 5; i++) {
            driver.write(TestDriver.QUEUE_SELECT, 2, i);
            assertThat(driver.read(TestDriver.QUEUE_ENABLE, 2)).isZero();
            assertThat(driver.read(TestDriver.QUEUE_SIZE, 2)).isEqualTo(256);
            assertThat(driver.read(TestDriver.QUEUE_DESC, 8)).isZero();
        }
    }

    @Test
    void shouldReadZeroWhenQueueDoesNotExist() {
        driver.write(TestDriver.QUEUE_SELECT, 2, 5);
        for (int offset : List.of(TestDriver.QUEUE_SIZE, TestDriver.QUEUE_ENABLE, TestDriver.QUEUE_NOTIFY_OFF)) {
            driver.write(offset, 2, 1);
            assertThat(driver.read(offset, 2)).isZero();
        }
        driver.write(TestDriver.QUEUE_DESC, 8, 0x1000);
        assertThat(driver.read(TestDriver.QUEUE_DESC, 8)).isZero();
    }

    @Test
    void shouldAnswerNoVectorWhenVectorDoesNotExist() {
        driver.write(TestDriver.CONFIG_MSIX_VECTOR, 2, 5);
        assertThat(driver.read(TestDriver.CONFIG_MSIX_VECTOR, 2)).isEqualTo(5);
        driver.write(TestDriver.CONFIG_MSIX_VECTOR, 2, 6);
        assertThat(driver.read(TestDriver.CONFIG_MSIX_VECTOR, 2)).isEqualTo(0xFFFF);
    }

    @Test
    void shouldTakeAddressesByHalvesAndWhole() {
        driver.write(TestDriver.QUEUE_DESC, 4, 0x89AB_CDE0L);
        driver.write(TestDriver.QUEUE_DESC + 4, 4, 0x1234);
        assertThat(driver.read(TestDriver.QUEUE_DESC, 8)).isEqualTo(0x1234_89AB_CDE0L);
        driver.write(TestDriver.QUEUE_DRIVER, 8, 0x5_0000_0010L);
        assertThat(driver.read(TestDriver.QUEUE_DRIVER, 4)).isEqualTo(0x10);
        assertThat(driver.read(TestDriver.QUEUE_DRIVER + 4, 4)).isEqualTo(5);
    }

    @Test
    void shouldIgnoreQueueSizeThatIsNoPowerOfTwoOrTooLarge() {
        driver.write(TestDriver.QUEUE_SIZE, 2, 48);
        assertThat(driver.read(TestDriver.QUEUE_SIZE, 2)).isEqualTo(256);
        driver.write(TestDriver.QUEUE_SIZE, 2, 512);
        assertThat(driver.read(TestDriver.QUEUE_SIZE, 2)).isEqualTo(256);
        driver.write(TestDriver.QUEUE_SIZE, 2, 64);
        assertThat(driver.read(TestDriver.QUEUE_SIZE, 2)).isEqualTo(64);
    }

    @Test
    void shouldKeepEnabledQueueAsItIs() {
        driver.start(TestFunctions.VERSION_1, 16);
        driver.write(TestDriver.QUEUE_SELECT, 2, 0);
        driver.write(TestDriver.QUEUE_SIZE, 2, 8);
        driver.write(TestDriver.QUEUE_ENABLE, 2, 0);
        driver.write(TestDriver.QUEUE_DESC, 8, 0);
        assertThat(driver.read(TestDriver.QUEUE_SIZE, 2)).isEqualTo(16);
        assertThat(driver.read(TestDriver.QUEUE_ENABLE, 2)).isEqualTo(1);
        assertThat(driver.read(TestDriver.QUEUE_DESC, 8)).isEqualTo(driver.queue(0).desc);
    }

    @Test
    void shouldResetOneQueueAndEnableItAgainWithRingReset() {
        driver.start(TestFunctions.VERSION_1 | TestFunctions.RING_RESET, 16);
        List<byte[]> sent = TestFunctions.sink(function);
        driver.transmit(1, TestFunctions.frame(60, 1));
        driver.write(TestDriver.QUEUE_SELECT, 2, 1);
        driver.write(TestDriver.QUEUE_RESET, 2, 1);
        assertThat(driver.read(TestDriver.QUEUE_RESET, 2)).isZero();
        assertThat(driver.read(TestDriver.QUEUE_ENABLE, 2)).isZero();
        assertThat(driver.read(TestDriver.QUEUE_SIZE, 2)).isEqualTo(256);
        driver.enableQueue(1, 32, 2);
        driver.transmit(1, TestFunctions.frame(60, 2));
        assertThat(sent).hasSize(2);
    }

    @Test
    void shouldNotResetQueueWithoutRingReset() {
        driver.start(TestFunctions.VERSION_1, 16);
        driver.write(TestDriver.QUEUE_SELECT, 2, 1);
        driver.write(TestDriver.QUEUE_RESET, 2, 1);
        assertThat(driver.read(TestDriver.QUEUE_ENABLE, 2)).isEqualTo(1);
    }

    @Test
    void shouldNeedResetAndSayByConfigInterruptWhenRingIsBroken() {
        driver.start(TestFunctions.VERSION_1, 16);
        driver.queue(1).descriptor(driver.queue(1).desc, 0, TestDriver.BASE, 60, TestQueue.NEXT, 0);
        driver.queue(1).offer(0);
        driver.queue(1).kick();
        assertThat(driver.read(TestDriver.DEVICE_STATUS, 1)).isEqualTo(15 | 64);
        assertThat(driver.interrupts).containsExactly(0);
        List<byte[]> sent = TestFunctions.sink(function);
        driver.start(TestFunctions.VERSION_1, 16).transmit(1, TestFunctions.frame(60, 1));
        assertThat(sent).as("after the reset").hasSize(1);
    }

    @Test
    void shouldShowNetConfiguration() {
        for (int i = 0; i < 6; i++) {
            assertThat(driver.readDevice(i, 1)).isEqualTo(Byte.toUnsignedInt(TestFunctions.MAC[i]));
        }
        assertThat(driver.readDevice(6, 2)).as("status: link up").isEqualTo(1);
        assertThat(driver.readDevice(8, 2)).as("max_virtqueue_pairs").isEqualTo(2);
        assertThat(driver.readDevice(17, 1)).as("rss_max_key_size").isEqualTo(40);
        assertThat(driver.readDevice(18, 2)).as("rss_max_indirection_table_length").isEqualTo(128);
        assertThat(driver.readDevice(20, 4)).as("supported_hash_types").isEqualTo(0x3F);
        assertThat(driver.readDevice(24, 4)).as("nothing there").isEqualTo(0xFFFF_FFFFL);
    }
}
