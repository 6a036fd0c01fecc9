// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.bytes;
import static dev.ferry.emulator.internal.owner.Bench.create;
import static dev.ferry.emulator.internal.owner.Bench.object;
import static dev.ferry.emulator.internal.owner.Bench.plain;
import static dev.ferry.emulator.internal.owner.Bench.toMember;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

class DevPartsCommandsTest {

    private static final String OK = "0000 0000 00000000";
    private static final String SELECTED = "00 00000000000000";
    private static final String ALL = "01 00000000000000";

    private final Bench bench = Bench.ready();

    @BeforeEach
    void createObjects() {
        bench.expectOk(create(1, 0, 0));
        bench.expectOk(create(1, 1, 1));
        bench.member(1).stopped = true;
    }

    private String get(String data) {
        return bench.execute(toMember(0x0f, 1, object(0) + data), 256);
    }

    @Test
    void shouldListTheHeadersInOrder() {
        assertThat(bench.execute(toMember(0x0e, 1, object(0) + "02"), 256))
                .isEqualTo(plain(OK + "03000000 00000000"
                        + "0001 01 00 0000000000000000 08000000"
                        + "0101 00 00 0000000000000000 08000000"
                        + "0301 00 00 0000000000000000 01000000"));
    }

    @Test
    void shouldGiveSelectedPartsInTableOrderAndOnce() {
        String status = "0301 00 00 0000000000000000 00000000";
        String driverFeatures = "0101 01 00 0000000000000000 ffffffff";
        assertThat(get(SELECTED + status + driverFeatures + status))
                .isEqualTo(plain(OK + FakeMember.DRV_FEATURES + FakeMember.DEVICE_STATUS));
    }

    @Test
    void shouldLeaveOutSelectedPartsThatDoNotExist() {
        String otherSelector = "0301 00 00 0100000000000000 01000000";
        String otherType = "0401 00 00 0000000000000000 20000000";
        assertThat(get(SELECTED + otherSelector + otherType)).isEqualTo(plain(OK));
        assertThat(get(SELECTED)).isEqualTo(plain(OK));
    }

    @Test
    void shouldReadTheMissingEndOfASelectedHeaderAsZeros() {
        assertThat(get(SELECTED + "0301")).isEqualTo(plain(OK + FakeMember.DEVICE_STATUS));
    }

    @Test
    void shouldGiveAllPartsAnyNumberOfTimesWhateverHeadersFollow() {
        assertThat(get(ALL)).isEqualTo(plain(OK + FakeMember.ALL));
        assertThat(get(ALL + "0301")).isEqualTo(plain(OK + FakeMember.ALL));
    }

    @Test
    void shouldNotCopyPartsThatLieInOneSegment() {
        ByteBuffer answer = ByteBuffer.allocateDirect(256);
        bench.submit(List.of(ByteBuffer.wrap(bytes(toMember(0x0f, 1, object(0) + ALL)))), List.of(answer));
        answer.put(8, (byte) 0x77);
        assertThat(bench.member(1).lastBuffer.get(0)).isEqualTo((byte) 0x77);

        ByteBuffer parts = ByteBuffer.allocateDirect(65).put(bytes(FakeMember.ALL)).flip();
        bench.submit(
                List.of(ByteBuffer.wrap(bytes(toMember(0x10, 1, object(1)))), parts),
                List.of(ByteBuffer.allocate(8)));
        parts.put(0, (byte) 0x77);
        assertThat(bench.member(1).lastBuffer.get(0)).isEqualTo((byte) 0x77);
    }
}
