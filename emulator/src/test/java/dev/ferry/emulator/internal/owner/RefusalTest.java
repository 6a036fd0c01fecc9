// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.create;
import static dev.ferry.emulator.internal.owner.Bench.destroy;
import static dev.ferry.emulator.internal.owner.Bench.object;
import static dev.ferry.emulator.internal.owner.Bench.plain;
import static dev.ferry.emulator.internal.owner.Bench.toMember;
import static dev.ferry.emulator.internal.owner.Bench.toSelf;
import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Every status and qualifier, as numbers of the text. */
class RefusalTest {

    private static final int GET = 0;
    private static final int SET = 1;

    private static final String OK = "0000 0000 00000000";
    private static final String INVALID_OPCODE = "1600 0200 00000000";
    private static final String INVALID_FIELD = "1600 0300 00000000";
    private static final String INVALID_GROUP = "1600 0400 00000000";
    private static final String INVALID_MEMBER = "1600 0500 00000000";
    private static final String ENXIO = "0600 0300 00000000";
    private static final String EEXIST = "1100 0300 00000000";
    private static final String EBUSY = "1000 0100 00000000";
    private static final String ENOSPC = "1c00 0600 00000000";
    private static final String ENOMEM = "0c00 0600 00000000";

    private final Bench bench = Bench.ready();

    private void expect(String readable, String answer) {
        assertThat(bench.execute(readable, 64)).as(readable).isEqualTo(plain(answer));
    }

    @Test
    void shouldCheckGroupThenOpcodeThenMember() {
        expect("ffff 0200 000000000000000000000000 ffffffffffffffff", INVALID_GROUP);
        expect("0000 ffff 000000000000000000000000 0000000000000000", INVALID_GROUP);
        expect("1200 0100 000000000000000000000000 ffffffffffffffff", INVALID_OPCODE);
        expect("1100 0100 000000000000000000000000 ffffffffffffffff", INVALID_MEMBER);
        expect("1100 0100 000000000000000000000000 0500000000000000", INVALID_MEMBER);
        expect("1100 0100 000000000000000000000000 0000000000000000", INVALID_MEMBER);
        expect("1100 0100 000000000000000000000000 0100000001000000", INVALID_MEMBER);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x12, 0x13, 0x40, 0x7f})
    void shouldRefuseOpcodesThatAreNotOffered(int opcode) {
        expect(toMember(opcode, 1, ""), INVALID_OPCODE);
    }

    @Test
    void shouldRefuseCapabilityCommandsToMembers() {
        expect(toMember(0x07, 0, ""), INVALID_GROUP);
    }

    @Test
    void shouldRefuseMemberCommandsToTheSelfGroup() {
        expect(toSelf(0x11, "01"), INVALID_OPCODE);
    }

    @Test
    void shouldRefuseAMemberIdInTheSelfGroup() {
        expect("0700 0000 000000000000000000000000 0100000000000000", INVALID_MEMBER);
    }

    @Test
    void shouldKnowNoOtherCapability() {
        expect(toSelf(0x08, "0100 000000000000"), ENXIO);
        expect(toSelf(0x08, "0008 000000000000"), ENXIO);
        expect(toSelf(0x09, "0100 000000000000 0101"), ENXIO);
    }

    @Test
    void shouldRefuseLimitsAboveItsOwn() {
        OwnerDevice small =
                new OwnerDevice(Adapters.parts("h", "p", 1, 1, 256, false, 10, true), new FakeMember.Factory());
        assertThat(answer(small, Bench.USE_ALL)).isEqualTo(plain(OK));
        assertThat(answer(small, toSelf(0x09, "0000 000000000000 0a0b"))).isEqualTo(plain(INVALID_FIELD));
        assertThat(answer(small, toSelf(0x09, "0000 000000000000 0b0a"))).isEqualTo(plain(INVALID_FIELD));
        assertThat(answer(small, create(1, 0, GET))).isEqualTo(plain(ENOSPC));
        assertThat(answer(small, toSelf(0x09, "0000 000000000000 0a0a"))).isEqualTo(plain(OK));
        assertThat(answer(small, create(1, 9, GET))).isEqualTo(plain(OK));
    }

    private static String answer(OwnerDevice owner, String readable) {
        ByteBuffer[] command = {ByteBuffer.wrap(Bench.bytes(readable))};
        byte[] answer = new byte[8];
        owner.submit(command, new ByteBuffer[] {ByteBuffer.wrap(answer)});
        return Bench.hex(answer);
    }

    @Test
    void shouldNotChangeTheCapabilityWhileObjectsLive() {
        expect(create(1, 0, GET), OK);
        expect(toSelf(0x09, "0000 000000000000 0000"), EBUSY);
        expect(toSelf(0x09, "0000 000000000000 ffff"), OK);
        expect(destroy(1, 0), OK);
        expect(toSelf(0x09, "0000 000000000000 0000"), OK);
    }

    @Test
    void shouldCreateNoObjectBeforeTheCapabilityIsSet() {
        Bench fresh = Bench.reset(1, false);
        fresh.expectOk(Bench.USE_ALL);
        assertThat(fresh.execute(create(1, 0, GET), 8)).isEqualTo(plain(ENOSPC));
    }

    @Test
    void shouldApplyEachLimitToItsOwnKindOfObject() {
        bench.expectOk(toSelf(0x09, "0000 000000000000 0201"));
        expect(create(1, 1, SET), ENOSPC);
        expect(create(1, 1, GET), OK);
        expect(create(1, 2, GET), ENOSPC);
        expect(create(1, 0, SET), OK);
    }

    @Test
    void shouldTakeAsManyObjectsAsTheLimitAndThenRefuse() {
        for (int id = 0; id < 255; id++) {
            expect(create(1 + id % 4, id, id % 2), OK);
        }
        expect(create(1, 255, GET), ENOSPC);
        expect(create(1, 254, GET), EEXIST);
        assertThat(bench.owner.resourceObjects()).isEqualTo(255);
        expect(destroy(1 + 254 % 4, 254), OK);
        expect(create(1, 254, SET), OK);
    }

    @Test
    void shouldRefuseADuplicateIdWhateverMemberItIsFor() {
        expect(create(3, 7, GET), OK);
        expect(create(3, 7, SET), EEXIST);
        expect(create(4, 7, GET), EEXIST);
    }

    @Test
    void shouldNotServeAMemberWithTheObjectOfAnother() {
        expect(create(3, 7, GET), OK);
        expect(toMember(0x0e, 4, object(7) + "0000000000000000"), ENXIO);
        expect(toMember(0x0f, 4, object(7) + "0100000000000000"), ENXIO);
        expect(toMember(0x0c, 4, object(7)), ENXIO);
        expect(destroy(4, 7), ENXIO);
        expect(destroy(3, 7), OK);
    }

    @ParameterizedTest
    @ValueSource(ints = {0x0b, 0x0c, 0x0d, 0x0e, 0x0f, 0x10})
    void shouldNotFindAnObjectThatWasNotCreatedOrWasDestroyed(int opcode) {
        expect(toMember(opcode, 1, object(3)), ENXIO);
        expect(create(1, 3, GET), OK);
        expect(toMember(opcode, 1, "0100 0000 03000000"), ENXIO);
        expect(destroy(1, 3), OK);
        expect(toMember(opcode, 1, object(3)), ENXIO);
    }

    @Test
    void shouldRefuseMalformedObjects() {
        expect(toMember(0x0a, 1, "0100 0000 00000000 0000000000000000 0000000000000000"), INVALID_FIELD);
        expect(toMember(0x0a, 1, object(0) + "0100000000000000 0000000000000000"), INVALID_FIELD);
        expect(create(1, 0, 2), INVALID_FIELD);
        expect(create(1, 0, 0xff), INVALID_FIELD);
        assertThat(bench.owner.resourceObjects()).isZero();
    }

    @Test
    void shouldQueryWhatWasCreatedOrModified() {
        expect(create(2, 5, SET), OK);
        expect(toMember(0x0c, 2, object(5) + "0000000000000000"), OK + "0100000000000000");
        expect(toMember(0x0c, 2, object(5) + "0100000000000000"), INVALID_FIELD);
        expect(toMember(0x0b, 2, object(5) + "0000000000000000" + "02"), INVALID_FIELD);
        expect(toMember(0x0c, 2, object(5) + "0000000000000000"), OK + "0100000000000000");
        expect(toMember(0x0b, 2, object(5) + "0000000000000000" + "00"), OK);
        expect(toMember(0x0c, 2, object(5) + "0000000000000000"), OK + "0000000000000000");
    }

    @Test
    void shouldServeWithAnObjectOnlyWhatItIsFor() {
        expect(create(1, 0, GET), OK);
        expect(create(1, 1, SET), OK);
        bench.member(1).stopped = true;
        expect(toMember(0x10, 1, object(0) + FakeMember.ALL), INVALID_FIELD);
        expect(toMember(0x0e, 1, object(1) + "00"), INVALID_FIELD);
        expect(toMember(0x0f, 1, object(1) + "01"), INVALID_FIELD);
        assertThat(bench.member(1).loaded).isNull();
    }

    @Test
    void shouldRefuseUnknownSelections() {
        expect(create(1, 0, GET), OK);
        expect(toMember(0x0e, 1, object(0) + "03"), INVALID_FIELD);
        expect(toMember(0x0e, 1, object(0) + "80"), INVALID_FIELD);
        expect(toMember(0x0f, 1, object(0) + "02"), INVALID_FIELD);
        expect(toMember(0x0f, 1, object(0) + "ff"), INVALID_FIELD);
    }

    @Test
    void shouldWriteOnlyTheStatusWhenTheSpaceIsTooSmall() {
        expect(create(1, 0, GET), OK);
        assertThat(bench.execute(toMember(0x0e, 1, object(0) + "00"), 15)).isEqualTo(plain(ENOMEM));
        assertThat(bench.execute(toMember(0x0e, 1, object(0) + "01"), 8)).isEqualTo(plain(ENOMEM));
        assertThat(bench.execute(toMember(0x0e, 1, object(0) + "02"), 63)).isEqualTo(plain(ENOMEM));
        assertThat(bench.execute(toMember(0x0f, 1, object(0) + "01"), 72)).isEqualTo(plain(ENOMEM));
        assertThat(bench.execute(toMember(0x0f, 1, object(0) + "01"), 73)).isEqualTo(plain(OK + FakeMember.ALL));
    }

    @Test
    void shouldPassOnWhyAMemberRefusesParts() {
        expect(create(1, 0, SET), OK);
        expect(toMember(0x10, 1, object(0) + FakeMember.ALL), INVALID_FIELD);
    }

    @Test
    void shouldRefusePartsBeyondWhatAnyDeviceNeeds() {
        expect(create(1, 0, SET), OK);
        bench.member(1).stopped = true;
        byte[] most = Arrays.copyOf(
                Bench.bytes(toMember(0x10, 1, object(0))),
                32 + bench.member(1).maxPartsSize() + DevPartsCommands.FOREIGN_PARTS_BYTES + 1);
        assertThat(Bench.hex(bench.execute(most, 8))).isEqualTo(plain(ENOMEM));
        byte[] fitting = Arrays.copyOf(most, most.length - 1);
        assertThat(Bench.hex(bench.execute(fitting, 8))).isEqualTo(plain(OK));
    }

    @Test
    void shouldAskToTryAgainWhenAMemberCannotStopNow() {
        bench.member(2).busy = true;
        expect(toMember(0x11, 2, "01"), "0b00 0700 00000000");
        bench.member(2).busy = false;
        expect(toMember(0x11, 2, "01"), OK);
    }

    @Test
    void shouldKnowTwoModesOnly() {
        expect(toMember(0x11, 2, "02"), INVALID_FIELD);
        expect(toMember(0x11, 2, "81"), INVALID_FIELD);
        assertThat(bench.member(2).stopped).isFalse();
        expect(toMember(0x11, 2, "01"), OK);
        expect(toMember(0x11, 2, "01"), OK);
        assertThat(bench.member(2).stopped).isTrue();
        expect(toMember(0x11, 2, "00"), OK);
        expect(toMember(0x11, 2, "00"), OK);
        assertThat(bench.member(2).stopped).isFalse();
    }
}
