// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.HexFormat;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class VfioStateRecordTest {

    @ParameterizedTest
    @CsvSource({
        "DATA,   ffffffffef100004, 0102030405060708",
        "CONFIG, ffffffffef100002, 0000000000001000",
        "END,    ffffffffef100001, 0000000000000000"
    })
    void shouldLieBigEndianWhateverTheOrderOfTheBuffer(VfioStateRecord record, String mark, String length) {
        ByteBuffer into = ByteBuffer.allocate(20).order(ByteOrder.LITTLE_ENDIAN).position(1);

        record.putHeader(into, 2, Long.parseLong(length, 16));

        assertThat(into.position()).isEqualTo(1);
        assertThat(HexFormat.of().formatHex(into.array())).isEqualTo("0000" + mark + length + "0000");
        assertThat(VfioStateRecord.ofMark(record.mark())).contains(record);
    }

    @ParameterizedTest
    @CsvSource({"0", "-1", "0xef100004", "-0x10effffd"})
    void shouldKnowNoOtherMarks(String mark) {
        assertThat(VfioStateRecord.ofMark(Long.decode(mark))).isEmpty();
    }
}
