// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.stream.RecordType;
import dev.ferry.stream.StreamInspection;
import java.io.ByteArrayInputStream;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.Channels;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.stream.Stream;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.Combinators;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.Tuple;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;
import net.jqwik.api.statistics.Statistics;

/** Whatever bytes come, in whatever pieces: the decoder does what a reading of the layout, written here, says. */
class VirtiovfPropertyTest {

    private static final int LIMIT = 300;
    private static final int KNOWN_TAG = 7;

    /** What reached the device and the record type, and how it ended. */
    private record Outcome(
            List<String> images, List<String> vendorRecords, Optional<Errno> failure, boolean complete) {}

    @Provide
    Arbitrary<byte[]> streams() {
        Arbitrary<byte[]> payloads = Arbitraries.bytes().array(byte[].class).ofMinSize(0).ofMaxSize(40);
        Arbitrary<Integer> tags = Arbitraries.frequency(
                Tuple.of(5, 0), Tuple.of(2, KNOWN_TAG), Tuple.of(1, 9));
        Arbitrary<Integer> flags = Arbitraries.frequency(
                Tuple.of(1, 0), Tuple.of(4, 1));
        return Combinators.combine(flags, tags, payloads).as(Bytes::record).list().ofMaxSize(5)
                .map(records -> Bytes.join(records.toArray(byte[][]::new)));
    }

    @Property
    void shouldLoadTheSameInAnySegmentation(
            @ForAll("streams") byte[] stream, @ForAll @Size(max = 30) List<@IntRange(min = 1, max = 50) Integer> cuts) {
        assertThat(decode(stream, cuts)).isEqualTo(expected(stream));
    }

    @Property
    void shouldLoadOnlyCompleteRecordsOfATruncatedStream(
            @ForAll("streams") byte[] stream,
            @ForAll @IntRange(max = 300) int length,
            @ForAll @IntRange(min = 1, max = 64) int cut) {
        byte[] truncated = Arrays.copyOf(stream, Math.min(length, stream.length));
        assertThat(decode(truncated, List.of(cut))).isEqualTo(expected(truncated));
    }

    @Property
    void shouldEndByTheRulesAfterAnyBitFlip(
            @ForAll("streams") byte[] stream,
            @ForAll @IntRange(max = 3000) int bit,
            @ForAll @IntRange(min = 1, max = 64) int cut) {
        if (stream.length > 0) {
            int flipped = bit % (stream.length * 8);
            stream[flipped / 8] ^= (byte) (1 << flipped % 8);
        }
        assertThat(decode(stream, List.of(cut))).isEqualTo(expected(stream));
    }

    @Property
    void shouldEndByTheRulesWithRandomBytes(
            @ForAll @Size(max = 400) byte[] bytes,
            @ForAll @IntRange(min = 1, max = 64) int cut) {
        assertThat(decode(bytes, List.of(cut))).isEqualTo(expected(bytes));
    }

    @Property
    void shouldListEveryPartOfAWellFormedStream(@ForAll("wellFormedImages") List<List<byte[]>> images)
            throws IOException {
        StreamInspection inspection = inspect(recordsOf(images));

        assertThat(inspection.fault()).isEmpty();
        assertThat(inspection.records()).extracting(record -> record.parts().size())
                .isEqualTo(images.stream().map(List::size).toList());
    }

    @Property
    void shouldListThePartsThatLieWholeInATruncatedStream(
            @ForAll("wellFormedImages") List<List<byte[]>> images, @ForAll @IntRange(max = 500) int length)
            throws IOException {
        byte[] whole = recordsOf(images);
        byte[] truncated = Arrays.copyOf(whole, length % whole.length);

        StreamInspection inspection = inspect(truncated);

        int left = truncated.length;
        int parts = 0;
        for (List<byte[]> image : images) {
            left -= 16;
            for (byte[] part : image) {
                left -= part.length;
                parts += left >= 0 ? 1 : 0;
            }
        }
        assertThat(inspection.records().stream().mapToInt(record -> record.parts().size()).sum()).isEqualTo(parts);
    }

    @Property
    void shouldCallNoStreamValidThatCannotBeLoaded(
            @ForAll("wellFormedImages") List<List<byte[]>> images,
            @ForAll @IntRange(max = 4000) int bit,
            @ForAll @IntRange(max = 1000) int length)
            throws IOException {
        byte[] whole = recordsOf(images);
        byte[] damaged = Arrays.copyOf(whole, Math.min(length + 1, whole.length));
        int flipped = bit % (damaged.length * 8);
        damaged[flipped / 8] ^= (byte) (1 << flipped % 8);

        StreamInspection inspection = inspect(damaged);

        inspection.fault().ifPresent(fault -> assertThat(fault.offset()).isBetween(0L, (long) damaged.length));
        if (inspection.isValid()) {
            assertThat(expected(damaged).complete()).isTrue();
        }
        Statistics.label("called valid").collect(inspection.isValid()).coverage(coverage ->
                coverage.check(true).percentage(percentage -> percentage > 5));
    }

    @Property
    void shouldInspectWhateverComes(@ForAll("streams") byte[] stream) throws IOException {
        StreamInspection inspection = inspect(stream);

        inspection.fault().ifPresent(fault -> assertThat(fault.offset()).isBetween(0L, (long) stream.length));
    }

    /** The parts of each image, in the order that virtio 1.4 demands. */
    @Provide
    Arbitrary<List<List<byte[]>>> wellFormedImages() {
        Arbitrary<byte[]> words = values(8);
        Arbitrary<List<byte[]>> features = words.map(value -> Bytes.part(0x101, 0, 0, value)).list().ofMaxSize(1);
        Arbitrary<List<byte[]>> status = values(1).map(value -> Bytes.part(0x103, 1, 0, value)).list().ofSize(1);
        Arbitrary<List<byte[]>> queues = values(32).map(value -> Bytes.part(0x104, 0, 2, value)).list().ofMaxSize(2);
        Arbitrary<List<byte[]>> mac = values(6).map(value -> Bytes.part(0x200, 0, 0x101, value)).list().ofMaxSize(1);
        return Combinators.combine(features, status, queues, mac)
                .as((first, second, third, fourth) ->
                        Stream.of(first, second, third, fourth).flatMap(List::stream).toList())
                .list().ofMinSize(1).ofMaxSize(3);
    }

    private static Arbitrary<byte[]> values(int bytes) {
        return Arbitraries.bytes().array(byte[].class).ofSize(bytes);
    }

    private static byte[] recordsOf(List<List<byte[]>> images) {
        return Bytes.join(images.stream()
                .map(parts -> Bytes.record(0, 0, Bytes.join(parts.toArray(byte[][]::new))))
                .toArray(byte[][]::new));
    }

    private static StreamInspection inspect(byte[] stream) throws IOException {
        return new StreamInspector(
                        Channels.newChannel(new ByteArrayInputStream(stream)), new RecordRules(types(), LIMIT))
                .inspect();
    }

    private static RecordTypes types(FakeRecordType... type) {
        RecordTypes types = new RecordTypes();
        types.add(type.length == 0 ? new FakeRecordType() : type[0], Map.of(RecordType.TAG, KNOWN_TAG));
        return types;
    }

    private static Outcome decode(byte[] stream, List<Integer> cuts) {
        FakeDevice device = new FakeDevice();
        FakeRecordType type = new FakeRecordType();
        VirtiovfDecoder decoder = new VirtiovfDecoder(device, new RecordRules(types(type), LIMIT));
        Optional<Errno> failure = Optional.empty();
        boolean complete = false;
        try {
            int at = 0;
            for (int piece = 0; at < stream.length; piece++) {
                int cut = cuts.isEmpty() ? stream.length : cuts.get(piece % cuts.size());
                int end = Math.min(stream.length, at + cut);
                decoder.write(ByteBuffer.wrap(stream, at, end - at));
                at = end;
            }
        } catch (DeviceException e) {
            failure = Optional.of(e.errno());
        }
        try {
            decoder.requireComplete();
            complete = true;
        } catch (DeviceException e) {
            assertThat(e.errno()).isEqualTo(failure.isPresent() ? Errno.ENODEV : Errno.EINVAL);
        }
        return new Outcome(hex(device.loaded), hex(type.loaded), failure, complete);
    }

    private static List<String> hex(List<byte[]> payloads) {
        return payloads.stream().map(Bytes::hex).toList();
    }

    /** The layout and the rules, read in the plainest way. */
    private static Outcome expected(byte[] stream) {
        List<String> images = new ArrayList<>();
        List<String> vendorRecords = new ArrayList<>();
        ByteBuffer rest = ByteBuffer.wrap(stream).order(ByteOrder.LITTLE_ENDIAN);
        while (rest.remaining() >= 16) {
            long size = rest.getLong();
            int flags = rest.getInt();
            int tag = rest.getInt();
            if (size < 0 || size > LIMIT) {
                return new Outcome(images, vendorRecords, Optional.of(Errno.ENOMEM), false);
            }
            if (tag == 0 && size == 0) {
                return new Outcome(images, vendorRecords, Optional.of(Errno.EINVAL), false);
            }
            if (tag != 0 && tag != KNOWN_TAG && (flags & 1) == 0) {
                return new Outcome(images, vendorRecords, Optional.of(Errno.EOPNOTSUPP), false);
            }
            if (rest.remaining() < size) {
                return new Outcome(images, vendorRecords, Optional.empty(), false);
            }
            byte[] payload = new byte[(int) size];
            rest.get(payload);
            if (tag == 0) {
                images.add(Bytes.hex(payload));
            } else if (tag == KNOWN_TAG) {
                vendorRecords.add(Bytes.hex(payload));
            }
        }
        boolean complete = !rest.hasRemaining() && !images.isEmpty();
        return new Outcome(images, vendorRecords, Optional.empty(), complete);
    }
}
