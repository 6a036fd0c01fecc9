// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.create;
import static dev.ferry.emulator.internal.owner.Bench.object;
import static dev.ferry.emulator.internal.owner.Bench.toMember;
import static dev.ferry.emulator.internal.owner.Bench.toSelf;
import static org.assertj.core.api.Assertions.assertThat;

import java.io.ByteArrayOutputStream;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import net.jqwik.api.Arbitraries;
import net.jqwik.api.Arbitrary;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.Provide;
import net.jqwik.api.constraints.IntRange;

/** However the two parts of a command are cut into buffers, the result is that of one buffer each. */
class SegmentationPropertyTest {

    private static final String OTHER_PARTS = FakeMember.DRV_FEATURES + FakeMember.DEVICE_STATUS;

    @Property(tries = 3000)
    void shouldExecuteTheSameHoweverTheBuffersAreCut(
            @ForAll("commands") String command,
            @ForAll @IntRange(max = 200) int space,
            @ForAll("cuts") List<Integer> readableCuts,
            @ForAll("cuts") List<Integer> writableCuts) {
        Bench whole = prepared();
        byte[] expected = whole.execute(Bench.bytes(command), space);

        Bench cut = prepared();
        List<ByteBuffer> readable = cut(Bench.bytes(command), readableCuts);
        List<ByteBuffer> before = readable.stream().map(ByteBuffer::duplicate).toList();
        List<ByteBuffer> writable = cut(new byte[space], writableCuts);
        int used = cut.submit(readable, writable);

        assertThat(Arrays.copyOf(join(writable), used)).isEqualTo(expected);
        assertThat(readable).as("positions, limits and bytes stay").isEqualTo(before);
        assertThat(writable).allMatch(buffer -> buffer.position() == buffer.capacity() - buffer.remaining());
        assertThat(cut.member(1).loaded).isEqualTo(whole.member(1).loaded);
        assertThat(cut.member(1).stopped).isEqualTo(whole.member(1).stopped);
        assertThat(cut.owner.resourceObjects()).isEqualTo(whole.owner.resourceObjects());
    }

    private static Bench prepared() {
        Bench bench = Bench.ready();
        bench.expectOk(create(1, 0, 0));
        bench.expectOk(create(1, 1, 1));
        bench.member(1).stopped = true;
        return bench;
    }

    @Provide
    Arbitrary<String> commands() {
        return Arbitraries.of(
                "",
                toMember(0x00, 0, ""),
                toMember(0x01, 0, "ffff030000000000 0000000000000000"),
                toMember(0x01, 0, "ffff030000000000 0000000000000001"),
                toSelf(0x08, "0000 000000000000"),
                create(1, 2, 0),
                toMember(0x0e, 1, object(0) + "00"),
                toMember(0x0e, 1, object(0) + "0200000000000000"),
                toMember(0x0f, 1, object(0) + "0100000000000000"),
                toMember(0x0f, 1, object(0) + "0000000000000000" + "0301" + "0101"),
                toMember(0x0f, 1, object(0) + "0000000000000000" + "03010000000000000000000001000000" + "0101"),
                toMember(0x10, 1, object(1) + FakeMember.ALL),
                toMember(0x10, 1, object(1) + FakeMember.ALL + "00000000000000"),
                toMember(0x10, 1, object(1) + OTHER_PARTS),
                toMember(0x11, 1, "00"));
    }

    /** Lengths of segments, zero included; what is left is the last segment. */
    @Provide
    Arbitrary<List<Integer>> cuts() {
        return Arbitraries.integers().between(0, 40).list().ofMaxSize(12);
    }

    /** Segments of direct and heap buffers in turn, the writable ones with something around them. */
    private static List<ByteBuffer> cut(byte[] bytes, List<Integer> cuts) {
        List<ByteBuffer> segments = new ArrayList<>();
        int at = 0;
        for (int length : cuts) {
            int bounded = Math.min(length, bytes.length - at);
            segments.add(segment(Arrays.copyOfRange(bytes, at, at + bounded), segments.size()));
            at += bounded;
        }
        segments.add(segment(Arrays.copyOfRange(bytes, at, bytes.length), segments.size()));
        return segments;
    }

    private static ByteBuffer segment(byte[] bytes, int margin) {
        ByteBuffer segment = margin % 2 == 0
                ? ByteBuffer.allocate(bytes.length + margin)
                : ByteBuffer.allocateDirect(bytes.length + margin);
        return segment.position(margin).put(bytes).position(margin);
    }

    private static byte[] join(List<ByteBuffer> segments) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (ByteBuffer segment : segments) {
            byte[] bytes = new byte[segment.remaining()];
            segment.duplicate().get(bytes);
            all.writeBytes(bytes);
        }
        return all.toByteArray();
    }
}
