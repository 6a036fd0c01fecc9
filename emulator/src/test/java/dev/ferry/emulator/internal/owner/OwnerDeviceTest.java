// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.create;
import static dev.ferry.emulator.internal.owner.Bench.plain;
import static dev.ferry.emulator.internal.owner.Bench.toMember;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class OwnerDeviceTest {

    private static final String OK = "0000 0000 00000000";
    private static final String INVALID_MEMBER = "1600 0500 00000000";

    private final Bench bench = Bench.ready();

    @Test
    void shouldOfferItsMembersToGuestAndNetwork() {
        assertThat(bench.owner.ownerId()).isEqualTo("host1/pf0");
        assertThat(bench.owner.host()).isEqualTo("host1");
        assertThat(bench.owner.members()).isEqualTo(4);
        assertThat(bench.owner.function(1)).isSameAs(bench.member(1));
        assertThat(bench.owner.port(4)).isSameAs(bench.member(4));
        assertThatIllegalArgumentException().isThrownBy(() -> bench.owner.function(0));
        assertThatIllegalArgumentException().isThrownBy(() -> bench.owner.port(5));
    }

    @Test
    void shouldResetOneMemberAndKeepItsObjects() throws Exception {
        bench.expectOk(create(2, 0, 0));
        bench.owner.resetFunction(2);
        assertThat(bench.member(2).resets).isOne();
        assertThat(bench.member(1).resets).isZero();
        assertThat(bench.owner.resourceObjects()).isOne();
    }

    @Test
    void shouldNotResetAMemberThatIsNotThere() {
        for (long member : new long[] {0, 5, -1, 1L << 32 | 1}) {
            assertThatThrownBy(() -> bench.owner.resetFunction(member))
                    .isInstanceOfSatisfying(
                            DeviceException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
        }
    }

    @Test
    void shouldAddMembersWithoutTouchingTheOthers() {
        bench.expectOk(create(4, 0, 0));
        bench.owner.resize(6);
        assertThat(bench.owner.members()).isEqualTo(6);
        assertThat(bench.factory.made).hasSize(6).noneMatch(member -> member.removed);
        assertThat(bench.owner.resourceObjects()).isOne();
        bench.expectOk(toMember(0x11, 6, "01"));
        assertThat(bench.member(6).stopped).isTrue();
    }

    @Test
    void shouldRemoveTheLastMembersWithTheirObjects() {
        bench.expectOk(create(2, 0, 0));
        bench.expectOk(create(3, 1, 0));
        bench.owner.resize(2);
        assertThat(bench.owner.members()).isEqualTo(2);
        assertThat(bench.factory.made).extracting(member -> member.removed).containsExactly(false, false, true, true);
        assertThat(bench.owner.resourceObjects()).isOne();
        assertThat(bench.execute(toMember(0x11, 3, "01"), 8)).isEqualTo(plain(INVALID_MEMBER));
        bench.expectOk(create(2, 1, 0));
    }

    @Test
    void shouldBeGoneForGoodWhenClosed() {
        bench.expectOk(create(2, 0, 0));
        bench.owner.close();
        bench.owner.resize(3);

        assertThat(bench.factory.made).hasSize(4).allMatch(member -> member.removed);
        assertThat(bench.owner.members()).isZero();
        assertThat(bench.owner.resourceObjects()).isZero();
        CompletableFuture<Integer> answer = bench.owner
                .submit(new ByteBuffer[] {ByteBuffer.allocate(24)}, new ByteBuffer[] {ByteBuffer.allocate(16)})
                .toCompletableFuture();
        assertThatThrownBy(answer::get)
                .isInstanceOf(ExecutionException.class)
                .cause()
                .isInstanceOfSatisfying(
                        DeviceException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
        assertThatThrownBy(() -> bench.owner.resetFunction(1))
                .isInstanceOfSatisfying(
                        DeviceException.class, e -> assertThat(e.errno()).isEqualTo(Errno.ENODEV));
    }

    @Test
    void shouldServeThousandsOfMembers() {
        Bench large = Bench.reset(4096, false);
        large.expectOk(Bench.USE_ALL);
        assertThat(large.execute(toMember(0x11, 4096, "01"), 8)).isEqualTo(plain(OK));
        assertThat(large.member(4096).stopped).isTrue();
        assertThat(large.execute(toMember(0x11, 4097, "01"), 8)).isEqualTo(plain(INVALID_MEMBER));
    }

    @Test
    void shouldGiveEachIdToOneOfManyThreads() {
        long created = IntStream.range(0, 1000)
                .parallel()
                .filter(i -> bench.execute(create(1 + i % 4, i % 255, i % 2), 8).equals(plain(OK)))
                .count();
        assertThat(created).isEqualTo(255);
        assertThat(bench.owner.resourceObjects()).isEqualTo(255);
    }
}
