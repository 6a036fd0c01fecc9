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
import java.nio.ByteBuffer;
import java.util.Map;
import org.junit.jupiter.api.Test;

class VirtiovfDecoderTest {

    private static final byte[] IMAGE = hex("0300000000000000 00000000 00000000 aabbcc");
    private static final byte[] OPTIONAL_7 = hex("0200000000000000 01000000 07000000 1122");
    private static final byte[] MANDATORY_7 = hex("0200000000000000 00000000 07000000 1122");

    private final RecordTypes types = new RecordTypes();
    private final FakeDevice device = new FakeDevice();
    private final VirtiovfDecoder decoder = new VirtiovfDecoder(device, new RecordRules(types, 4096));

    private void write(byte[] bytes) throws DeviceException {
        ByteBuffer from = ByteBuffer.wrap(bytes);
        decoder.write(from);
        assertThat(from.hasRemaining()).isFalse();
    }

    private void assertRefused(Errno errno, long offset, byte[] bytes) {
        assertThatExceptionOfType(StreamException.class).isThrownBy(() -> write(bytes)).satisfies(e -> {
            assertThat(e.errno()).isEqualTo(errno);
            assertThat(e.offset()).isEqualTo(offset);
        });
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> write(IMAGE))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
    }

    @Test
    void shouldLoadTheImageWithItsLastByte() throws Exception {
        write(hex("0300000000000000 00000000 00000000 aabb"));
        assertThat(device.loaded).isEmpty();

        write(hex("cc"));
        assertThat(device.loaded).containsExactly(hex("aabbcc"));
        decoder.requireComplete();
    }

    @Test
    void shouldHandOverAPayloadInPlaceWhenItIsWhole() throws Exception {
        byte[] stream = IMAGE.clone();
        write(stream);

        assertThat(device.lastLoad.array()).isSameAs(stream);
    }

    @Test
    void shouldProcessDeviceDataWhateverItsFlagsAre() throws Exception {
        write(hex("0300000000000000 ffffffff 00000000 aabbcc"));

        assertThat(device.loaded).containsExactly(hex("aabbcc"));
    }

    @Test
    void shouldSkipAnUnknownOptionalRecord() throws Exception {
        write(join(OPTIONAL_7, hex("0000000000000000 03000000 08000000"), IMAGE));

        assertThat(device.loaded).containsExactly(hex("aabbcc"));
        decoder.requireComplete();
    }

    @Test
    void shouldRefuseAnUnknownMandatoryRecord() {
        assertRefused(Errno.EOPNOTSUPP, 19, join(IMAGE, MANDATORY_7));
    }

    @Test
    void shouldRefuseARecordBeyondTheLargestAlsoWhenItIsOptional() {
        assertRefused(Errno.ENOMEM, 0, hex("0110000000000000 01000000 07000000"));
    }

    @Test
    void shouldTakeTheSizeAsUnsigned() {
        assertRefused(Errno.ENOMEM, 0, hex("ffffffffffffffff 00000000 00000000"));
    }

    @Test
    void shouldRefuseAnEmptyImage() {
        assertRefused(Errno.EINVAL, 0, hex("0000000000000000 00000000 00000000"));
        assertThat(device.loaded).isEmpty();
    }

    @Test
    void shouldBeDeadWhenTheDeviceRefused() {
        device.loadFails = Errno.EINVAL;
        assertThatExceptionOfType(DeviceException.class).isThrownBy(() -> write(IMAGE));
        device.loadFails = null;

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> write(IMAGE))
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(decoder::requireComplete)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
    }

    @Test
    void shouldSayWhatIsMissingWhenTheStreamEndsTooEarly() throws Exception {
        assertThatExceptionOfType(StreamException.class)
                .isThrownBy(decoder::requireComplete)
                .withMessageContaining("without any DEVICE_DATA");

        write(join(IMAGE, hex("0300000000")));
        assertThatExceptionOfType(StreamException.class)
                .isThrownBy(decoder::requireComplete)
                .withMessageContaining("11 of the 16 bytes of its header")
                .satisfies(e -> assertThat(e.offset()).isEqualTo(19));

        write(hex("000000 00000000 00000000 aa"));
        assertThatExceptionOfType(StreamException.class)
                .isThrownBy(decoder::requireComplete)
                .withMessageContaining("2 of its 3 bytes");

        write(hex("bbcc"));
        decoder.requireComplete();
    }

    @Test
    void shouldAskForAnImageWhenOnlyOtherRecordsCame() throws Exception {
        write(OPTIONAL_7);

        assertThatExceptionOfType(StreamException.class).isThrownBy(decoder::requireComplete);
    }

    @Test
    void shouldUseARecordTypeThatWasDeployedDuringTheSession() throws Exception {
        FakeRecordType type = new FakeRecordType();
        write(IMAGE);
        types.add(type, Map.of(RecordType.TAG, 7));

        write(join(MANDATORY_7, hex("0000000000000000 00000000 07000000")));

        assertThat(type.loaded).containsExactly(hex("1122"), new byte[0]);
    }

    @Test
    void shouldTreatARecordAsUnknownWhenItsTypeLeavesBeforeItsLastByte() throws Exception {
        FakeRecordType type = new FakeRecordType();
        types.add(type, Map.of(RecordType.TAG, 7));
        write(hex("0200000000000000 01000000 07000000 11"));
        types.remove(Map.of());
        write(hex("22"));
        assertThat(type.loaded).isEmpty();

        types.add(type, Map.of(RecordType.TAG, 7));
        write(hex("0200000000000000 00000000 07000000 11"));
        types.remove(Map.of());
        assertRefused(Errno.EOPNOTSUPP, 18, hex("22"));
    }

    @Test
    void shouldCountOffsetsOfARecordTypeFromTheStartOfTheStream() {
        FakeRecordType type = new FakeRecordType();
        type.refuses = new StreamException(1, Errno.EINVAL, "a counter is negative");
        types.add(type, Map.of(RecordType.TAG, 7));

        assertRefused(Errno.EINVAL, 19 + 16 + 1, join(IMAGE, OPTIONAL_7));
    }

    @Test
    void shouldNameTheTagAndTheReasonWhenARecordTypeBreaks() {
        FakeRecordType type = new FakeRecordType();
        type.breaks = new IllegalStateException("bug");
        types.add(type, Map.of(RecordType.TAG, 7));

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> write(OPTIONAL_7))
                .withMessage("the record type of tag 7 failed to load: java.lang.IllegalStateException: bug; "
                        + "report this to its vendor")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EIO));
    }
}
