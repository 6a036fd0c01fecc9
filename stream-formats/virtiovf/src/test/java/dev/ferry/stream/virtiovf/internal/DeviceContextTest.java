// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import static dev.ferry.stream.virtiovf.internal.Bytes.hex;
import static dev.ferry.stream.virtiovf.internal.Bytes.join;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.stream.RecordType;
import dev.ferry.stream.StreamException;
import dev.ferry.stream.StreamInspection;
import java.io.ByteArrayInputStream;
import java.nio.ByteBuffer;
import java.nio.channels.Channels;
import java.util.Map;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;

/** Images that are device contexts: tag 1, mandatory; and devices that take only one kind. */
class DeviceContextTest {

    private static final byte[] CONTEXT_RECORD = hex("0300000000000000 00000000 01000000 aabbcc");
    private static final byte[] PARTS_RECORD = hex("0300000000000000 00000000 00000000 aabbcc");

    private static final String START = "0100 00 00 08000000 56544331 0100 0100";
    private static final String DEV_STATUS = "1400 00 00 08000000 0f00000000000000";
    private static final String VQ_CFG = "2000 00 00 28000000 0300 0001 ffff 0100 0010000000000000"
            + "0020000000000000 0030000000000000 0300 0000 0000 0000";
    private static final String NET_VLAN_CUT = "0201 00 00 00020000 0000";

    private final RecordTypes types = new RecordTypes();
    private final RecordRules rules = new RecordRules(types, 4096);
    private final FakeDevice device = new FakeDevice();

    private void assertRefused(byte[] record, String kind) {
        assertThatExceptionOfType(StreamException.class)
                .isThrownBy(() -> new VirtiovfDecoder(device, rules).write(ByteBuffer.wrap(record, 0, 16)))
                .withMessageContaining("the state is a " + kind)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EOPNOTSUPP));
        assertThat(device.loaded).isEmpty();
    }

    @Test
    void shouldRefuseAContextAtItsHeaderWhenTheDeviceTakesParts() {
        assertRefused(CONTEXT_RECORD, "DEVICE_CONTEXT (tag 1)");
    }

    @Test
    void shouldRefusePartsAtTheirHeaderWhenTheDeviceTakesAContext() {
        device.imageTag = 1;

        assertRefused(PARTS_RECORD, "DEVICE_DATA (tag 0)");
    }

    @Test
    void shouldLoadAContextIntoADeviceThatTakesOne() throws Exception {
        device.imageTag = 1;
        VirtiovfDecoder decoder = new VirtiovfDecoder(device, rules);

        decoder.write(ByteBuffer.wrap(CONTEXT_RECORD));

        assertThat(device.loaded).containsExactly(hex("aabbcc"));
        decoder.requireComplete();
    }

    @Test
    void shouldSayWhichImageIsMissing() {
        device.imageTag = 1;

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> new VirtiovfDecoder(device, rules).requireComplete())
                .withMessageContaining("without any DEVICE_CONTEXT record");
    }

    @Test
    void shouldSaveAMandatoryRecordWithTheTagOfTheDevice() throws Exception {
        device.imageTag = 1;
        device.image = hex("aabbcc");
        VirtiovfEncoder encoder = new VirtiovfEncoder(device, rules);
        encoder.capture();
        ByteBuffer into = ByteBuffer.allocate(100);

        encoder.read(into);

        assertThat(Bytes.of(into.flip())).isEqualTo(CONTEXT_RECORD);
    }

    @Test
    void shouldRefuseARecordTypeWithTheTagOfTheContext() {
        types.add(new FakeRecordType(), Map.of(RecordType.TAG, 1));

        assertThat(types.serving()).isEmpty();
    }

    // --- inspect

    private StreamInspection inspect(byte[] stream) throws Exception {
        return new StreamInspector(Channels.newChannel(new ByteArrayInputStream(stream)), rules).inspect();
    }

    private static byte[] record(byte[] context) {
        return join(hex("%02x%02x000000000000 00000000 01000000".formatted(context.length & 0xff, context.length >> 8)),
                context);
    }

    private static byte[] whole(String fields) {
        byte[] body = hex(START + fields);
        CRC32 sum = new CRC32();
        sum.update(body);
        String crc = "%08x".formatted(Integer.reverseBytes((int) sum.getValue()));
        return join(body, hex("ffff 00 00 08000000" + crc + "00000000"));
    }

    @Test
    void shouldNameTheFieldsOfASavedContext() throws Exception {
        StreamInspection inspection = inspect(record(whole(DEV_STATUS + VQ_CFG)));

        assertThat(inspection.fault()).isEmpty();
        assertThat(inspection.records()).singleElement().satisfies(record -> {
            assertThat(record.name()).isEqualTo("DEVICE_CONTEXT");
            assertThat(record.parts())
                    .extracting(StreamInspection.Part::name)
                    .containsExactly("START", "DEV_STATUS", "VQ_CFG", "END");
            assertThat(record.parts().get(1).value()).contains("DRIVER_OK");
            assertThat(record.parts().get(2).selector()).isEqualTo(3);
            assertThat(record.parts().get(2).value()).contains("queue 3: size 256, vector none, desc 0x1000");
            assertThat(record.parts().get(2).offset()).isEqualTo(16 + 16 + 16);
        });
    }

    @Test
    void shouldFindAWrongSumAWrongOrderAndAMissingEnd() throws Exception {
        byte[] wrongSum = record(whole(DEV_STATUS));
        wrongSum[wrongSum.length - 8] ^= 1;
        assertThat(inspect(wrongSum).fault().orElseThrow().message()).contains("sum");
        assertThat(inspect(record(whole(VQ_CFG + DEV_STATUS))).fault().orElseThrow().message())
                .contains("a DEV_STATUS field must not follow a VQ_CFG field");
        assertThat(inspect(record(hex(START))).fault().orElseThrow().message()).contains("END");
        assertThat(inspect(record(hex(DEV_STATUS))).fault().orElseThrow().message()).contains("START");
        assertThat(inspect(record(hex(START + NET_VLAN_CUT))).fault().orElseThrow().message()).contains("520 bytes");
    }

    @Test
    void shouldShowTheFirstOfManyPendingKicks() throws Exception {
        String few = "2300 00 00 08000000 0900000000000100";
        String many = "2300 00 00 00080000 00ff" + "ff".repeat(2046);

        assertThat(inspect(record(whole(few))).records().get(0).parts().get(1).value()).isEqualTo("queues [0, 3, 48]");
        assertThat(inspect(record(whole(many))).records().get(0).parts().get(1).value())
                .isEqualTo("queues [8, 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 16360 more]");
    }

    @Test
    void shouldNotMixImagesOfBothKindsInOneStream() throws Exception {
        assertThat(inspect(join(record(whole("")), PARTS_RECORD)).fault().orElseThrow().message())
                .contains("the state is a DEVICE_DATA (tag 0)");
    }
}
