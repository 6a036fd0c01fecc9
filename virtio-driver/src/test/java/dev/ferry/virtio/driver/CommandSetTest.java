// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import java.util.BitSet;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

class CommandSetTest {

    /** Bit 0x11 is DEV_MODE_SET, bit 0x108 (byte 33) V1_DEV_MODE_SET. */
    @ParameterizedTest(name = "{0} {1}: {2}")
    @CsvSource({
        "ffff03, 0000, DEVICE_PARTS",
        "ffff03, 80ff, DEVICE_PARTS",
        "030000, 0000, DEVICE_PARTS",
        "030000, 80ff, DEVICE_CONTEXT",
        "ffff01, 0001, DEVICE_CONTEXT",
        "030000, 80fe, DEVICE_PARTS"
    })
    void shouldBeOneOfTwoWhateverIsReported(String first, String from0x100, CommandSet set) {
        byte[] reported = FakeAdminQueue.hex(first + "00".repeat(29) + from0x100);

        assertThat(CommandSet.of(BitSet.valueOf(reported))).isEqualTo(set);
    }
}
