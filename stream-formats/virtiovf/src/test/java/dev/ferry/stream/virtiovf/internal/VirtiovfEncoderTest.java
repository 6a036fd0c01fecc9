// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.stream.RecordType;
import java.nio.ByteBuffer;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class VirtiovfEncoderTest {

    private final RecordTypes types = new RecordTypes();
    private final FakeDevice device = new FakeDevice(Bytes.hex("0301 00 00 0000000000000000 01000000 0f"));
    private final VirtiovfEncoder encoder = new VirtiovfEncoder(device, new RecordRules(types, 4096));

    private String readAll(int bytesAtATime) {
        StringBuilder read = new StringBuilder();
        ByteBuffer into = ByteBuffer.allocate(bytesAtATime);
        while (encoder.read(into) > 0) {
            read.append(Bytes.hex(Bytes.of(into.flip())));
            into.clear();
        }
        return read.toString();
    }

    @Test
    void shouldFrameTheImageAsOneMandatoryRecordWithTagZero() throws Exception {
        assertThat(encoder.capture()).isEqualTo(33);

        assertThat(readAll(100)).isEqualTo("1100000000000000" + "00000000" + "00000000"
                + "0301" + "00" + "00" + "0000000000000000" + "01000000" + "0f");
        assertThat(encoder.readBytes()).isEqualTo(33);
        assertThat(encoder.queuedBytes()).isZero();
    }

    @Test
    void shouldWriteTheLengthThatCameWhenItIsLessThanAnnounced() throws Exception {
        device.announcedSize = 1000;

        assertThat(encoder.capture()).isEqualTo(33);

        assertThat(readAll(100)).startsWith("1100000000000000").hasSize(66);
    }

    @Test
    void shouldReadAcrossRecordsInAnySegmentation() throws Exception {
        encoder.capture();
        encoder.capture();
        String whole = readAll(1000);
        assertThat(whole).hasSize(132);

        encoder.capture();
        encoder.capture();
        assertThat(readAll(7)).isEqualTo(whole);
        assertThat(encoder.readBytes()).isEqualTo(132);
    }

    @Test
    void shouldReuseABufferThatWasReadWhenItIsLargeEnough() throws Exception {
        encoder.capture();
        readAll(100);
        encoder.capture();
        encoder.capture();

        // A write through one shows in the other only when both are one buffer.
        ByteBuffer first = device.captureBuffers.get(0);
        first.put(16, (byte) 0x77);
        assertThat(device.captureBuffers.get(1).get(16)).isEqualTo((byte) 0x77);
        assertThat(device.captureBuffers.get(2).get(16)).isNotEqualTo((byte) 0x77);
        assertThat(first.isDirect()).isTrue();
    }

    @Test
    void shouldNameTheTagAndTheReasonWhenARecordTypeBreaks() {
        FakeRecordType type = new FakeRecordType();
        type.breaks = new IllegalStateException("bug");
        types.add(type, Map.of(RecordType.TAG, 7));

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(encoder::capture)
                .withMessage("the record type of tag 7 failed to save: java.lang.IllegalStateException: bug; "
                        + "report this to its vendor")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EIO));
    }

    @Test
    void shouldKeepTheQueueAndGiveUpTheBufferWhenTheDeviceFails() throws Exception {
        encoder.capture();
        readAll(100);
        encoder.capture();
        long queued = encoder.queuedBytes();
        readAll(100);
        device.captureFails = Errno.ETIMEDOUT;

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(encoder::capture)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ETIMEDOUT));
        assertThat(encoder.queuedBytes()).isZero();

        // The device may still write into what it was given, so the next image goes elsewhere.
        device.captureFails = null;
        assertThat(encoder.capture()).isEqualTo(queued);
        ByteBuffer givenUp = device.captureBuffers.get(2);
        givenUp.put(16, (byte) 0x55);
        assertThat(device.captureBuffers.get(3).get(16)).isNotEqualTo((byte) 0x55);
    }

    @Test
    void shouldRefuseAnImageWithoutParts() {
        device.image = new byte[0];
        device.announcedSize = 64;

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(encoder::capture)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EINVAL));
        assertThat(encoder.queuedBytes()).isZero();
    }

    @Test
    void shouldRefuseAnImageBeyondTheLargestRecordBeforeTakingMemory() {
        device.announcedSize = 4097;

        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(encoder::capture)
                .withMessageContaining("max.record.bytes")
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.ENOMEM));
        assertThat(device.captureBuffers).isEmpty();
    }

    @Test
    void shouldAppendRecordsOfDeployedTypesByAscendingTag() throws Exception {
        FakeRecordType first = new FakeRecordType();
        first.saves = Optional.of(ByteBuffer.wrap(new byte[] {1, 2}));
        FakeRecordType unsignedLast = new FakeRecordType();
        unsignedLast.saves = Optional.of(ByteBuffer.allocate(0));
        types.add(unsignedLast, Map.of(RecordType.TAG, -1, "service.id", 1L));
        types.add(first, Map.of(RecordType.TAG, 7, "service.id", 2L));
        types.add(new FakeRecordType(), Map.of(RecordType.TAG, 9, "service.id", 3L));

        encoder.capture();

        assertThat(readAll(1000).substring(66))
                .isEqualTo("0200000000000000" + "01000000" + "07000000" + "0102"
                        + "0000000000000000" + "01000000" + "ffffffff");
    }
}
