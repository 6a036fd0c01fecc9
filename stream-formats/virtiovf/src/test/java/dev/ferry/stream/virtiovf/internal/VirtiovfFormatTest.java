// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import static dev.ferry.stream.virtiovf.internal.Bytes.hex;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.stream.RecordEncoder;
import dev.ferry.stream.RecordType;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.function.LongSupplier;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class VirtiovfFormatTest {

    private final VirtiovfFormat format = new VirtiovfFormat();

    private static void configure(VirtiovfFormat format, long maxRecordBytes) {
        format.modified(limit(() -> maxRecordBytes), Map.of());
    }

    private static VirtiovfConfiguration limit(LongSupplier maxRecordBytes) {
        return new VirtiovfConfiguration() {
            @Override
            public long max_record_bytes() {
                return maxRecordBytes.getAsLong();
            }

            @Override
            public Class<VirtiovfConfiguration> annotationType() {
                return VirtiovfConfiguration.class;
            }
        };
    }

    @ParameterizedTest
    @ValueSource(strings = {
        "", // nothing is known yet
        "2100",
        "2100000000000000 00000000 00000000",
        "2100000000000000 01000000 07000000", // begins with an optional record
        "21000000000000ff 00000000 00000000", // a damaged size
        "2100000000000000 00000000 000000ff", // a damaged tag
        "2100000000000000 00ff0000 00000000" // damaged flags
    })
    void shouldRecognizeAStreamAlsoWhenOneFieldIsDamaged(String head) {
        assertThat(format.recognizes(ByteBuffer.wrap(hex(head)))).isTrue();
    }

    @ParameterizedTest
    @ValueSource(strings = {"hello, this is a text and no stream", "\u00d4\u00c3\u00b2\u00a1 a pcap file", "hello"})
    void shouldNotRecognizeOtherBytes(String text) {
        byte[] head = text.getBytes(StandardCharsets.ISO_8859_1);
        assertThat(format.recognizes(ByteBuffer.wrap(head))).isFalse();
    }

    @Test
    void shouldKeepTheLastGoodLimitWhenTheConfigurationIsInvalid() throws Exception {
        FakeDevice device = new FakeDevice(new byte[10_000]);
        configure(format, 8192);
        configure(format, 1);
        configure(format, Long.MAX_VALUE);

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> format.encoder(device).capture())
                .withMessageContaining("8192");
    }

    @Test
    void shouldKeepTheLastGoodLimitWhenTheConfiguredOneIsNoNumber() throws Exception {
        VirtiovfConfiguration notNumeric = limit(() -> {
            throw new NumberFormatException("plenty");
        });
        VirtiovfFormat configured = new VirtiovfFormat(notNumeric, Map.of());
        assertThat(configured.encoder(new FakeDevice(new byte[10_000])).capture()).isEqualTo(10_016);

        configure(configured, 8192);
        configured.modified(notNumeric, Map.of());

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> configured.encoder(new FakeDevice(new byte[10_000])).capture())
                .withMessageContaining("8192");
    }

    @Test
    void shouldGiveChangedLimitsToLaterSessionsOnly() throws Exception {
        RecordEncoder before = format.encoder(new FakeDevice(new byte[10_000]));
        configure(format, 8192);

        assertThat(before.capture()).isEqualTo(10_016);
    }

    @Test
    void shouldFollowRecordTypesAndTheirProperties() throws Exception {
        FakeRecordType type = new FakeRecordType();
        format.addRecordType(type, Map.of(RecordType.TAG, 7));
        format.updatedRecordType(type, Map.of(RecordType.TAG, 8));
        format.decoder(new FakeDevice()).write(ByteBuffer.wrap(Bytes.record(0, 8, hex("11"))));
        assertThat(type.loaded).hasSize(1);

        format.removeRecordType(type, Map.of(RecordType.TAG, 8));
        assertThatExceptionOfType(DeviceException.class).isThrownBy(() ->
                format.decoder(new FakeDevice()).write(ByteBuffer.wrap(Bytes.record(0, 8, hex("11")))));
    }
}
