// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.nio.ByteBuffer;
import java.util.HexFormat;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Each layout against bytes written by hand from virtio 1.4. */
class LayoutTest {

    /** Encodes between marks, so that a byte too many or a wrong position shows. */
    private static String encoded(int length, Consumer<ByteBuffer> encode) {
        ByteBuffer into = ByteBuffer.allocate(length + 2);
        into.put((byte) 0xEE);
        encode.accept(into);
        assertThat(into.position()).isEqualTo(length + 1);
        assertThat(into.get(0)).isEqualTo((byte) 0xEE);
        return HexFormat.of().formatHex(into.array(), 1, length + 1);
    }

    @Test
    void shouldLayOutTheVirtqueueConfiguration() {
        VirtqueueConfig config =
                new VirtqueueConfig(256, 0xFFFF, true, 0x1122334455667788L, 0x10, 0xFFFFFFFFFFFFFFFFL);
        String hex = "0001" + "ffff" + "0100" + "0000" + "8877665544332211" + "1000000000000000" + "ffffffffffffffff";
        assertThat(encoded(VirtqueueConfig.BYTES, config::encode)).isEqualTo(hex);
        assertThat(VirtqueueConfig.decode(ByteBuffer.wrap(HexFormat.of().parseHex(hex)))).isEqualTo(config);
    }

    @Test
    void shouldLayOutTheNotificationConfiguration() {
        VirtqueueNotifyConfig config = new VirtqueueNotifyConfig(0x0102, 0xFFFE);
        assertThat(encoded(VirtqueueNotifyConfig.BYTES, config::encode)).isEqualTo("0201" + "feff" + "00000000");
    }

    @Test
    void shouldLayOutThePositionInAPackedVirtqueue() {
        PackedVirtqueuePosition position = new PackedVirtqueuePosition(0x8005, 0x0102);
        assertThat(encoded(PackedVirtqueuePosition.BYTES, position::encode)).isEqualTo("0580" + "0201");
        assertThat(PackedVirtqueuePosition.decode(ByteBuffer.wrap(HexFormat.of().parseHex("05800201"))))
                .isEqualTo(position);
        assertThat(PackedVirtqueuePosition.descriptor(0x8005)).isEqualTo(5);
        assertThat(PackedVirtqueuePosition.wrapCounter(0x8005)).isTrue();
        assertThat(PackedVirtqueuePosition.wrapCounter(0x0102)).isFalse();
        assertThat(PackedVirtqueuePosition.INITIAL).isEqualTo(0x8000);
    }

    @Test
    void shouldLayOutTheDevicePartsCapability() {
        DevPartsCapability capability = new DevPartsCapability(255, 7);
        assertThat(encoded(DevPartsCapability.BYTES, capability::encode)).isEqualTo("ff07");
        assertThat(DevPartsCapability.decode(ByteBuffer.wrap(new byte[] {(byte) 255}))).isEqualTo(
                new DevPartsCapability(255, 0));
        assertThatThrownBy(() -> new DevPartsCapability(256, 0)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void shouldLayOutTheCommandsOfDevicePartsObjects() {
        assertThat(encoded(24, into -> DevPartsObject.encodeCreate(into, 0x01020304, DevPartsObject.Operation.SET)))
                .isEqualTo("0000" + "0000" + "04030201" + "0000000000000000" + "01" + "00000000000000");
        assertThat(encoded(16, into -> DevPartsObject.encodeMetadataGet(into, 9, DevPartsObject.Metadata.LIST)))
                .isEqualTo("0000" + "0000" + "09000000" + "02" + "00000000000000");
        assertThat(encoded(16, into -> DevPartsObject.encodePartsGet(into, 9, DevPartsObject.Selection.ALL)))
                .isEqualTo("0000" + "0000" + "09000000" + "01" + "00000000000000");
    }

    @ParameterizedTest
    @CsvSource({
        "0,4,DEVICE_FEATURE_SELECT", "4,4,DEVICE_FEATURE", "8,4,DRIVER_FEATURE_SELECT", "12,4,DRIVER_FEATURE",
        "16,2,CONFIG_MSIX_VECTOR", "18,2,NUM_QUEUES", "20,1,DEVICE_STATUS", "21,1,CONFIG_GENERATION",
        "22,2,QUEUE_SELECT", "24,2,QUEUE_SIZE", "26,2,QUEUE_MSIX_VECTOR", "28,2,QUEUE_ENABLE",
        "30,2,QUEUE_NOTIFY_OFF", "32,8,QUEUE_DESC", "40,8,QUEUE_DRIVER", "48,8,QUEUE_DEVICE",
        "56,2,QUEUE_NOTIF_CONFIG_DATA", "58,2,QUEUE_RESET", "60,2,ADMIN_QUEUE_INDEX", "62,2,ADMIN_QUEUE_NUM"
    })
    void shouldPlaceTheFieldsOfTheCommonConfiguration(int offset, int size, PciCommonConfig field) {
        assertThat(field.offset()).isEqualTo(offset);
        assertThat(field.size()).isEqualTo(size);
        assertThat(PciCommonConfig.at(offset)).contains(field);
    }

    @ParameterizedTest
    @CsvSource({
        "0,0,RX_PROMISC", "0,1,RX_ALLMULTI", "0,2,RX_ALLUNI", "0,3,RX_NOMULTI", "0,4,RX_NOUNI", "0,5,RX_NOBCAST",
        "1,0,MAC_TABLE_SET", "1,1,MAC_ADDR_SET", "2,0,VLAN_ADD", "2,1,VLAN_DEL", "3,0,ANNOUNCE_ACK",
        "4,0,MQ_VQ_PAIRS_SET", "4,1,MQ_RSS_CONFIG", "4,2,MQ_HASH_CONFIG"
    })
    void shouldNumberTheControlCommands(int controlClass, int command, NetControl control) {
        assertThat(control.controlClass()).isEqualTo(controlClass);
        assertThat(control.command()).isEqualTo(command);
        assertThat(NetControl.of(controlClass, command)).contains(control);
        assertThat(NetControl.ofSelector(control.selector())).contains(control);
        assertThat(NetControl.ofSelector(control.selector() | 1L << 16)).isEmpty();
    }

    @ParameterizedTest
    @CsvSource({
        "256,DEV_FEATURES", "257,DRV_FEATURES", "258,PCI_COMMON_CFG", "259,DEVICE_STATUS", "260,VQ_CFG",
        "261,VQ_NOTIFY_CFG", "512,NET_CVQ_CFG", "65280,PACKED_VQ_POSITION"
    })
    void shouldNumberThePartTypes(int number, DevicePartType type) {
        assertThat(type.number()).isEqualTo(number);
        assertThat(DevicePartType.ofNumber(number)).contains(type);
    }

    @ParameterizedTest
    @CsvSource({
        "5,NET_MAC", "15,NET_MRG_RXBUF", "16,NET_STATUS", "17,NET_CTRL_VQ", "22,NET_MQ", "23,NET_CTRL_MAC_ADDR",
        "28,INDIRECT_DESC", "29,EVENT_IDX", "32,VERSION_1", "34,RING_PACKED", "37,SR_IOV", "39,NOTIF_CONFIG_DATA",
        "40,RING_RESET", "41,ADMIN_VQ", "43,SUSPEND"
    })
    void shouldNumberTheFeatureBits(int bit, VirtioFeature feature) {
        assertThat(feature.mask()).isEqualTo(1L << bit);
        assertThat(feature.isIn(1L << bit)).isTrue();
        assertThat(feature.isIn(~(1L << bit))).isFalse();
    }
}
