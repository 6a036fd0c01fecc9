// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminStatusQualifier;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class OwnerSetupTest {

    private static final String NO_MEMBER = "000000000000000000000000" + "0000000000000000";
    private static final String LIST_QUERY = "0000" + "0100" + NO_MEMBER;
    /** Bits 0 to 10, 13 to 17: the legacy commands, too, which are for others. */
    private static final String LIST_USE = "0100" + "0100" + NO_MEMBER + "ffe7030000000000";

    private static final String CAP_ID_LIST_QUERY = "0700" + "0000" + NO_MEMBER;
    private static final String DEVICE_CAP_GET = "0800" + "0000" + NO_MEMBER + "0000000000000000";
    /** Id, reserved, both limits 3, filled up to a multiple of eight bytes. */
    private static final String DRIVER_CAP_SET = "0900" + "0000" + NO_MEMBER + "0000000000000000" + "0303000000000000";

    private final FakeResettableQueue queue = new FakeResettableQueue();

    private OwnerDevice setUp() throws DeviceException {
        AdminChannel channel = new AdminChannel("host1/pf0", queue, new CommandTimeout(), new FakeClock());
        return new OwnerSetup("host1/pf0", queue, channel, () -> false).run();
    }

    private void assertLacking(String reason) {
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(this::setUp)
                .withMessageContaining("host1/pf0")
                .withMessageContaining(reason)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EOPNOTSUPP));
    }

    @Test
    void shouldSendTheSequenceOfTheKernel() throws Exception {
        OwnerDevice owner = setUp();

        assertThat(queue.commands)
                .containsExactly(LIST_QUERY, LIST_USE, CAP_ID_LIST_QUERY, DEVICE_CAP_GET, DRIVER_CAP_SET);
        assertThat(owner.ids().limit()).isEqualTo(3);
        assertThat(owner.functionReset()).contains(queue);
    }

    @Test
    void shouldPutEveryCommandOfVendorsInUseThatIsReported() throws Exception {
        // All of virtio 1.4, 0x12 and 0x3f in word 0; 0x40 in word 1; 0x109 in word 4.
        queue.opcodes = FakeAdminQueue.hex("ffff070000000080" + "0100000000000000" + "0000000000000000"
                + "0000000000000000" + "0002000000000000" + "0000000000000000");

        OwnerDevice owner = setUp();

        assertThat(queue.commands.get(1)).isEqualTo("0100" + "0100" + NO_MEMBER
                + "ffe7070000000080" + "0100000000000000" + "0000000000000000" + "0000000000000000"
                + "0002000000000000");
        assertThat(IntStream.rangeClosed(0, 0xFFFF).filter(owner::takesVendorOpcode))
                .containsExactly(0x12, 0x3f, 0x40, 0x109);
    }

    @Test
    void shouldNotPutReservedOpcodesInUse() throws Exception {
        byte[] everything = new byte[0x10000 / 8];
        Arrays.fill(everything, (byte) 0xFF);
        queue.opcodes = everything;

        OwnerDevice owner = setUp();

        assertThat(queue.commands.get(1)).hasSize(2 * (24 + 0x8000 / 8)).endsWith("ffff");
        assertThat(owner.takesVendorOpcode(0x7fff)).isTrue();
        assertThat(owner.takesVendorOpcode(0x8000)).isFalse();
        assertThat(owner.takesVendorOpcode(-1)).isFalse();
    }

    @Test
    void shouldGiveBothPartsInMultiplesOfEightBytes() throws Exception {
        setUp();

        assertThat(queue.commands).allSatisfy(command -> assertThat(command.length() / 2 % 8).isZero());
        assertThat(queue.writables)
                .allSatisfy(writable -> assertThat(FakeAdminQueue.join(writable).length % 8).isZero());
    }

    @Test
    void shouldNameTheCommandsThatAreMissing() {
        queue.opcodes = FakeAdminQueue.hex("ffff010000000000");

        assertLacking("DEV_MODE_SET");
        assertThat(queue.commands).hasSize(2);
    }

    @Test
    void shouldNotEnableWhatWasNotReported() {
        queue.opcodes = FakeAdminQueue.hex("03");

        assertLacking("CAP_ID_LIST_QUERY");
        assertThat(queue.commands).contains("0100" + "0100" + NO_MEMBER + "0300000000000000");
    }

    @Test
    void shouldRefuseAnOwnerWithoutDeviceParts() {
        queue.capabilities = FakeAdminQueue.hex("fe00000000000000");

        assertLacking("no device parts capability");
        assertThat(queue.commands).hasSize(3);
    }

    @Test
    void shouldRefuseAnOwnerThatAllowsNoObjects() {
        queue.limits = FakeAdminQueue.hex("ff"); // the missing byte reads as zero

        assertLacking("no device parts objects");
        assertThat(queue.count(FakeAdminQueue.DRIVER_CAP_SET)).isZero();
    }

    @Test
    void shouldIgnoreFieldsThatALaterVersionAppends() throws Exception {
        queue.limits = FakeAdminQueue.hex("0403" + "aaaaaaaaaaaaaaaaaaaaaaaaaaaa");

        assertThat(setUp().ids().limit()).isEqualTo(3);
    }

    @Test
    void shouldTakeLimitsAsUnsigned() throws Exception {
        queue.limits = FakeAdminQueue.hex("fffe");

        assertThat(setUp().ids().limit()).isEqualTo(254);
    }

    @Test
    void shouldPutTheSelfGroupsListInUseWhenTheDeviceHoldsToTheText() throws Exception {
        boolean[] selfInUse = {false};
        queue.opcodes = FakeAdminQueue.hex("ffff070000000000"); // with 0x12, for members only
        queue.scripts.put(FakeAdminQueue.LIST_USE, writable -> {
            selfInUse[0] |= queue.commands.get(queue.commands.size() - 1).startsWith("01000000");
            return null;
        });
        queue.scripts.put(FakeAdminQueue.CAP_ID_LIST_QUERY, writable -> selfInUse[0]
                ? null
                : CompletableFuture.completedFuture(
                        FakeAdminQueue.put(writable, FakeAdminQueue.hex("1600020000000000"))));

        setUp();

        assertThat(queue.commands).containsExactly(
                LIST_QUERY,
                "0100" + "0100" + NO_MEMBER + "ffe7070000000000",
                CAP_ID_LIST_QUERY,
                "0000" + "0000" + NO_MEMBER,
                "0100" + "0000" + NO_MEMBER + "83e7030000000000",
                CAP_ID_LIST_QUERY,
                DEVICE_CAP_GET,
                DRIVER_CAP_SET);
    }

    @Test
    void shouldEndWithTheFirstRefusal() {
        queue.refuse(FakeAdminQueue.LIST_USE, 22, 3);

        assertThatExceptionOfType(AdminCommandException.class)
                .isThrownBy(this::setUp)
                .withMessageContaining("LIST_USE")
                .satisfies(e -> assertThat(e.qualifier()).isEqualTo(AdminStatusQualifier.Q_INVALID_FIELD));
        assertThat(queue.commands).hasSize(2);
    }
}
