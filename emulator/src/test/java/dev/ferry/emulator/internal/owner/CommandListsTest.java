// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.plain;
import static dev.ferry.emulator.internal.owner.Bench.toMember;
import static dev.ferry.emulator.internal.owner.Bench.toSelf;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

class CommandListsTest {

    private static final String OK = "0000 0000 00000000";
    private static final String INVALID_OPCODE = "1600 0200 00000000";
    private static final String INVALID_FIELD = "1600 0300 00000000";
    private static final String INVALID_GROUP = "1600 0400 00000000";

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void shouldAllowOnlyTheListCommandsAfterReset(boolean strict) {
        Bench bench = Bench.reset(1, strict);
        for (int opcode = 2; opcode < 0x20; opcode++) {
            assertThat(bench.execute(toMember(opcode, 1, ""), 8)).isEqualTo(plain(INVALID_OPCODE));
            assertThat(bench.execute(toSelf(opcode, ""), 8)).isEqualTo(plain(INVALID_OPCODE));
        }
        assertThat(bench.execute(toSelf(0, ""), 64)).isEqualTo(plain(OK + "8303000000000000"));
        assertThat(bench.execute(toSelf(1, "8303000000000000"), 8)).isEqualTo(plain(OK));
    }

    @Test
    void shouldUseExactlyTheListThatWasSent() {
        Bench bench = Bench.reset(1, false);
        bench.expectOk(toMember(1, 0, "0200020000000000"));

        assertThat(bench.execute(toMember(0x11, 1, "01"), 8)).isEqualTo(plain(OK));
        assertThat(bench.execute(toMember(0x10, 1, ""), 8)).isEqualTo(plain(INVALID_OPCODE));
        assertThat(bench.execute(toMember(0, 0, ""), 16)).isEqualTo(plain(INVALID_OPCODE));
        bench.expectOk(toMember(1, 0, "0100000000000000"));
        assertThat(bench.execute(toMember(0x11, 1, "01"), 8)).isEqualTo(plain(INVALID_OPCODE));
        assertThat(bench.execute(toMember(1, 0, "0300000000000000"), 8)).isEqualTo(plain(INVALID_OPCODE));
    }

    @Test
    void shouldKeepTheListsOfGroupsApart() {
        Bench bench = Bench.reset(1, false);
        bench.expectOk(toSelf(1, "0000000000000000"));
        assertThat(bench.execute(toSelf(0, ""), 16)).isEqualTo(plain(INVALID_OPCODE));
        assertThat(bench.execute(toMember(0, 0, ""), 16)).isEqualTo(plain(OK + "ffff030000000000"));
    }

    @Test
    void shouldRefuseAListWithACommandThatIsNotOffered() {
        Bench bench = Bench.reset(1, false);
        assertThat(bench.execute(toMember(1, 0, "83ff070000000000"), 8)).isEqualTo(plain(INVALID_FIELD));
        assertThat(bench.execute(toMember(1, 0, "0000020000000080"), 8)).isEqualTo(plain(INVALID_FIELD));
        assertThat(bench.execute(toMember(1, 0, "0000020000000000 0100000000000000"), 8))
                .isEqualTo(plain(INVALID_FIELD));
        assertThat(bench.execute(toSelf(1, "0004000000000000"), 8)).isEqualTo(plain(INVALID_FIELD));
        assertThat(bench.execute(toMember(0x11, 1, "01"), 8))
                .as("nothing was taken into use")
                .isEqualTo(plain(INVALID_OPCODE));
    }

    @Test
    void shouldAcceptWordsOfZeroBehindTheList() {
        Bench bench = Bench.reset(1, false);
        bench.expectOk(toMember(1, 0, "0000020000000000 0000000000000000 0000000000000000"));
        bench.expectOk(toMember(0x11, 1, "01"));
    }

    @Test
    void shouldDemandAListForTheSelfGroupWhenStrict() {
        Bench bench = Bench.reset(1, true);
        bench.expectOk(Bench.USE_LINUX);
        assertThat(bench.execute(toSelf(7, ""), 16)).isEqualTo(plain(INVALID_OPCODE));
        bench.expectOk(toSelf(1, "8003000000000000"));
        assertThat(bench.execute(toSelf(7, ""), 16)).isEqualTo(plain(OK + "0100000000000000"));
    }

    @Test
    void shouldNotLetCapabilityCommandsThroughThatNoGroupUses() {
        Bench bench = Bench.reset(1, false);
        bench.expectOk(toMember(1, 0, "80fc030000000000"));
        assertThat(bench.execute(toSelf(7, ""), 16)).isEqualTo(plain(OK + "0100000000000000"));
        assertThat(bench.execute(toSelf(8, ""), 16)).isEqualTo(plain(INVALID_OPCODE));
        assertThat(bench.execute(toSelf(9, ""), 16)).isEqualTo(plain(INVALID_OPCODE));
    }

    @Test
    void shouldHaveNoSrIovGroupWithoutVfsWhenStrict() {
        Bench bench = Bench.reset(0, true);
        assertThat(bench.execute(toMember(0, 0, ""), 16)).isEqualTo(plain(INVALID_GROUP));
        bench.owner.resize(1);
        assertThat(bench.execute(toMember(0, 0, ""), 16)).isEqualTo(plain(OK + "ffff030000000000"));
    }
}
