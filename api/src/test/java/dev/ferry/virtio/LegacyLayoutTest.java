// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.HexFormat;
import org.junit.jupiter.api.Test;

/** The legacy layouts against numbers typed in from the text. */
class LegacyLayoutTest {

    @Test
    void shouldHaveTheFieldsWhereTheTextPutsThem() {
        assertThat(Arrays.stream(LegacyCommonConfig.values())
                        .map(field -> field.offset() + "+" + field.size()))
                .containsExactly("0+4", "4+4", "8+4", "12+2", "14+2", "16+2", "18+1", "19+1", "20+2", "22+2");
        assertThat(LegacyCommonConfig.bytes(false)).isEqualTo(20);
        assertThat(LegacyCommonConfig.bytes(true)).isEqualTo(24);
        assertThat(LegacyCommonConfig.at(18)).contains(LegacyCommonConfig.DEVICE_STATUS);
        assertThat(LegacyCommonConfig.at(17)).isEmpty();
    }

    @Test
    void shouldEncodeAnEntryAsTheTextLaysItOut() {
        ByteBuffer bytes = ByteBuffer.allocate(18);
        Arrays.fill(bytes.array(), (byte) 0xee);
        bytes.position(1);
        new LegacyNotifyInfo(2, 4, 0x1122334455667788L).encode(bytes);
        assertThat(bytes.position()).isEqualTo(17);
        assertThat(HexFormat.of().formatHex(bytes.array()))
                .isEqualTo("ee" + "02" + "04" + "000000000000" + "8877665544332211" + "ee");
    }

    @Test
    void shouldDecodeAnEntryAsUnsigned() {
        byte[] bytes = HexFormat.of().parseHex("ff" + "fe" + "ffffffffffff" + "0038000000000000" + "aa");
        ByteBuffer from = ByteBuffer.wrap(bytes);
        assertThat(LegacyNotifyInfo.decode(from)).isEqualTo(new LegacyNotifyInfo(255, 254, 0x3800));
        assertThat(from.position()).isEqualTo(16);
    }
}
