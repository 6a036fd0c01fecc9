// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.create;
import static dev.ferry.emulator.internal.owner.Bench.object;
import static dev.ferry.emulator.internal.owner.Bench.plain;
import static dev.ferry.emulator.internal.owner.Bench.toMember;
import static dev.ferry.emulator.internal.owner.Bench.toSelf;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import org.junit.jupiter.api.Test;

/** Missing input is zero, more input is ignored, output is cut to its space. */
class LengthToleranceTest {

    private static final String OK = "0000 0000 00000000";

    private final Bench bench = Bench.ready();

    @Test
    void shouldTakeAnEmptyCommandForZeros() {
        assertThat(bench.execute("", 16)).as("LIST_QUERY of the self group").isEqualTo(plain(OK + "8303000000000000"));
        assertThat(bench.execute("0000 01", 16)).isEqualTo(plain(OK + "ffff030000000000"));
    }

    @Test
    void shouldFillUpShortDataWithZeros() {
        bench.expectOk(toSelf(0x09, "00"));
        assertThat(bench.execute(create(1, 0, 0), 8)).as("both limits are 0").isEqualTo(plain("1c00 0600 00000000"));
        bench.expectOk(toSelf(0x09, "0000 000000000000 01"));
        assertThat(bench.execute(toMember(0x0a, 1, ""), 8)).as("GET object 0").isEqualTo(plain(OK));
        assertThat(bench.execute(toMember(0x0c, 1, ""), 16)).isEqualTo(plain(OK + "0000000000000000"));
        assertThat(bench.execute(toMember(0x0e, 1, ""), 16)).as("SIZE").isEqualTo(plain(OK + "6400000000000000"));
        bench.member(1).stopped = true;
        assertThat(bench.execute(toMember(0x11, 1, ""), 8)).as("resume").isEqualTo(plain(OK));
        assertThat(bench.member(1).stopped).isFalse();
        assertThat(bench.execute(toMember(0x0d, 1, "0000"), 8)).isEqualTo(plain(OK));
        assertThat(bench.execute(toMember(0x01, 1, ""), 8)).as("use nothing").isEqualTo(plain(OK));
        assertThat(bench.execute(toMember(0x11, 1, "01"), 8)).isEqualTo(plain("1600 0200 00000000"));
    }

    @Test
    void shouldIgnoreMoreDataThanTheStructureHas() {
        bench.expectOk(toSelf(0x09, "0000 000000000000 0505 ffffffffffffffffffff"));
        bench.expectOk(create(1, 4, 0) + "ffff");
        bench.expectOk(toMember(0x11, 1, "01 ffffffffffffff"));
        assertThat(bench.execute(toMember(0x0e, 1, object(4) + "01 ffffffffffffff ffff"), 16))
                .as("reserved bytes mean nothing")
                .isEqualTo(plain(OK + "0300000000000000"));
        bench.expectOk(toMember(0x0d, 1, object(4) + "ff"));
    }

    @Test
    void shouldCutTheAnswerToItsSpace() {
        assertThat(bench.execute(toSelf(0x08, ""), 9)).isEqualTo(plain(OK + "ff"));
        assertThat(bench.execute(toSelf(0x07, ""), 11)).isEqualTo(plain(OK + "010000"));
        assertThat(bench.execute(toMember(0x00, 0, ""), 8)).isEqualTo(plain(OK));
        assertThat(bench.execute("ffff", 4)).isEqualTo(plain("1600 0200"));
        assertThat(bench.execute("ffff", 1)).isEqualTo("16");
        assertThat(bench.execute(toMember(0x11, 1, "01"), 0)).isEmpty();
        assertThat(bench.member(1).stopped).as("executed all the same").isTrue();
    }

    @Test
    void shouldLeaveMoreSpaceThanTheAnswerNeedsUntouched() {
        assertThat(bench.execute(toSelf(0x08, ""), 4096)).isEqualTo(plain(OK + "ffff"));
    }

    @Test
    void shouldInitialiseTheLastWordWithoutCountingIt() {
        byte[] space = new byte[32];
        Arrays.fill(space, (byte) 0xa5);

        int used = bench.submit(
                List.of(ByteBuffer.wrap(Bench.bytes(toSelf(0x08, "")))), List.of(ByteBuffer.wrap(space)));

        assertThat(used).isEqualTo(10);
        assertThat(Bench.hex(space)).isEqualTo(plain(OK + "ffff 000000000000" + "a5".repeat(16)));
    }

    @Test
    void shouldIgnoreThePaddingOfADriverThatKeepsToGranules() {
        bench.expectOk(create(1, 0, 1));
        bench.member(1).stopped = true;
        String unpadded = toMember(0x10, 1, object(0) + FakeMember.ALL);
        for (String padding : new String[] {"", "00", "00000000000000", "00000000000001", "0000000000000000"}) {
            bench.member(1).loaded = null;
            bench.expectOk(unpadded + padding);
            boolean isPadding = padding.equals("00000000000000");
            assertThat(Bench.hex(bench.member(1).loaded))
                    .as("65 bytes of parts and '%s'", padding)
                    .isEqualTo(plain(FakeMember.ALL) + (isPadding ? "" : padding));
        }
    }
}
