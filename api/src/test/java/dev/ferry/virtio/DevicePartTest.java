// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.stream.StreamException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.Size;
import org.junit.jupiter.api.Test;

class DevicePartTest {

    /** DEVICE_STATUS with the value 0x0F, then VQ_NOTIFY_CFG of queue 2 with 8 bytes; written by hand. */
    private static final String TWO_PARTS = "0301" + "00" + "00" + "0000000000000000" + "01000000" + "0f" + "0501"
            + "00" + "00" + "0200000000000000" + "08000000" + "0200340000000000";

    private static ByteBuffer bytes(String hex) {
        return ByteBuffer.wrap(HexFormat.of().parseHex(hex));
    }

    @Test
    void shouldFindThePartsOneBehindTheOther() throws Exception {
        ByteBuffer parts = bytes(TWO_PARTS);
        List<DevicePart.Located> found = DevicePart.readAll(parts);
        assertThat(parts.position()).isZero();
        assertThat(found).hasSize(2);
        assertThat(found.get(0).offset()).isZero();
        assertThat(found.get(0).header()).isEqualTo(DevicePart.of(DevicePartType.DEVICE_STATUS, 0, 1));
        assertThat(found.get(0).value().get(0)).isEqualTo((byte) 0x0F);
        assertThat(found.get(1).offset()).isEqualTo(17);
        assertThat(found.get(1).header()).isEqualTo(DevicePart.of(DevicePartType.VQ_NOTIFY_CFG, 2, 8));
        assertThat(VirtqueueNotifyConfig.decode(found.get(1).value())).isEqualTo(new VirtqueueNotifyConfig(2, 0x34));
    }

    @Test
    void shouldWriteWhatItReads() {
        ByteBuffer into = ByteBuffer.allocate(16);
        new DevicePart(0x200, DevicePart.FLAG_OPTIONAL, NetControl.MAC_ADDR_SET.selector(), 6).encode(into);
        assertThat(HexFormat.of().formatHex(into.array()))
                .isEqualTo("0002" + "01" + "00" + "0101000000000000" + "06000000");
        assertThat(DevicePart.decode(into.flip()))
                .isEqualTo(new DevicePart(0x200, 1, NetControl.MAC_ADDR_SET.selector(), 6));
    }

    @Test
    void shouldNameThePlaceWhereAPartIsCutOff() {
        assertThatThrownBy(() -> DevicePart.readAll(bytes(TWO_PARTS.substring(0, TWO_PARTS.length() - 2))))
                .isInstanceOfSatisfying(
                        StreamException.class, fault -> assertThat(fault.offset()).isEqualTo(17))
                .hasMessageContaining("needs 8 bytes but only 7 are left");
        assertThatThrownBy(() -> DevicePart.readAll(bytes(TWO_PARTS.substring(0, 40))))
                .isInstanceOfSatisfying(
                        StreamException.class, fault -> assertThat(fault.offset()).isEqualTo(17))
                .hasMessageContaining("needs 16 bytes but only 3 are left");
    }

    @Test
    void shouldNotBelieveALengthBeyondTheBytesThatAreThere() {
        assertThatThrownBy(() -> DevicePart.readAll(bytes("0301" + "0000" + "0000000000000000" + "ffffffff")))
                .isInstanceOf(StreamException.class)
                .hasMessageContaining("4294967295");
    }

    @Property
    void shouldSplitRandomBytesCompletelyOrNameAPlace(@ForAll @Size(max = 200) byte[] random) {
        List<DevicePart.Located> found = new ArrayList<>();
        try {
            DevicePart.forEach(ByteBuffer.wrap(random), found::add);
            int end = found.stream()
                    .mapToInt(part -> DevicePart.HEADER_BYTES + part.value().capacity())
                    .sum();
            assertThat(end).isEqualTo(random.length);
        } catch (StreamException fault) {
            int end = found.stream()
                    .mapToInt(part -> DevicePart.HEADER_BYTES + part.value().capacity())
                    .sum();
            assertThat(fault.offset()).isEqualTo(end);
        }
    }
}
