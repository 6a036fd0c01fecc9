// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminStatusQualifier;
import dev.ferry.virtio.driver.command.AdminChannel;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import dev.ferry.virtio.driver.fake.FakeClock;
import java.util.Arrays;
import java.util.concurrent.CompletableFuture;
import java.util.stream.IntStream;
import org.junit.jupiter.api.Test;

class OwnerSetupTest {

    private static final String NO_MEMBER = "000000000000000000000000" + "0000000000000000";
    private static final String LIST_QUERY = "0000" + "0100" + NO_MEMBER;
    /** Bits 0 to 10, 13 to 17: the legacy commands, too, which are for others. */
    private static final String LIST_USE = "0100" + "0100" + NO_MEMBER + "ffe7030000000000";

    private static final String SELF_LIST_QUERY = "0000" + "0000" + NO_MEMBER;
    /** Bits 0, 1, 7, 8, 9. */
    private static final String SELF_LIST_USE = "0100" + "0000" + NO_MEMBER + "8303000000000000";

    private static final String CAP_ID_LIST_QUERY = "0700" + "0000" + NO_MEMBER;
    private static final String DEVICE_CAP_GET = "0800" + "0000" + NO_MEMBER + "0000000000000000";
    /** Id, reserved, both limits 3, filled up to a multiple of eight bytes. */
    private static final String DRIVER_CAP_SET = "0900" + "0000" + NO_MEMBER + "0000000000000000" + "0303000000000000";

    private final FakeResettableQueue queue = new FakeResettableQueue();
    private final ProviderSettings settings = new ProviderSettings();

    private OwnerDevice setUp() throws DeviceException {
        AdminChannel channel = new AdminChannel("host1/pf0", queue, settings.timeout(), new FakeClock());
        return new OwnerSetup("host1/pf0", queue, channel, settings, () -> false).run();
    }

    private void assertLacking(String reason) {
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(this::setUp)
                .withMessageContaining("host1/pf0")
                .withMessageContaining(reason)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EOPNOTSUPP));
    }

    @Test
    void shouldPutTheListOfEachGroupInUseFirst() throws Exception {
        OwnerDevice owner = setUp();

        assertThat(queue.commands)
                .containsExactly(
                        LIST_QUERY,
                        LIST_USE,
                        SELF_LIST_QUERY,
                        SELF_LIST_USE,
                        CAP_ID_LIST_QUERY,
                        DEVICE_CAP_GET,
                        DRIVER_CAP_SET);
        assertThat(owner.ids().limit()).isEqualTo(3);
        assertThat(owner.functionReset()).contains(queue);
    }

    @Test
    void shouldPutCommandsOfVendorsInUseThatAreReportedAndKnown() throws Exception {
        settings.vendorOpcodes().configure(() -> new String[] {"0x12-0x20", "63", " 0x0040 - 0x0108 ", "0x109"});
        // All of virtio 1.4, 0x12 and 0x3f in word 0; 0x40 in word 1; 0x109 in word 4.
        queue.opcodes = FakeAdminQueue.hex("ffff0f0000000080" + "0100000000000000" + "0000000000000000"
                + "0000000000000000" + "000e000000000000" + "0000000000000000");

        OwnerDevice owner = setUp();

        assertThat(queue.commands.get(1)).isEqualTo("0100" + "0100" + NO_MEMBER
                + "ffe70f0000000080" + "0100000000000000" + "0000000000000000" + "0000000000000000"
                + "0002000000000000");
        assertThat(IntStream.rangeClosed(0, 0xFFFF).filter(owner::takesVendorOpcode))
                .containsExactly(0x12, 0x13, 0x3f, 0x40, 0x109);
    }

    @Test
    void shouldNotPutCommandsInUseThatNobodyKnows() throws Exception {
        queue.opcodes = FakeAdminQueue.hex("ffffffffffffffff");

        setUp();

        assertThat(queue.commands).contains(LIST_USE, SELF_LIST_USE);
    }

    @Test
    void shouldNotPutReservedOpcodesInUse() throws Exception {
        settings.vendorOpcodes().configure(() -> new String[] {"0x0012-0x7fff"});
        settings.vendorOpcodes().configure(() -> new String[] {"0x0012-0x8000"});
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

        assertLacking("RESOURCE_OBJ_CREATE");
        assertThat(queue.commands).contains("0100" + "0100" + NO_MEMBER + "0300000000000000");
    }

    @Test
    void shouldRefuseAnOwnerWithoutDeviceParts() {
        queue.capabilities = FakeAdminQueue.hex("fe00000000000000");

        assertLacking("no device parts capability");
        assertThat(queue.commands).hasSize(5);
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

    /** Answers LIST_QUERY of the self group otherwise than that of the SR-IOV group. */
    private void selfGroup(String answer) {
        queue.scripts.put(FakeAdminQueue.LIST_QUERY, writable -> last().startsWith("00000000")
                ? CompletableFuture.completedFuture(FakeAdminQueue.put(writable, FakeAdminQueue.hex(answer)))
                : null);
    }

    private String last() {
        return queue.commands.get(queue.commands.size() - 1);
    }

    @Test
    void shouldTakeTheCapabilityCommandsFromTheListOfTheOwnerAloneWhenTheDeviceHoldsToTheText() throws Exception {
        queue.opcodes = FakeAdminQueue.hex("7ffc030000000000"); // none of 7, 8, 9 for members
        selfGroup("0000000000000000" + "8303000000000000");

        setUp();

        assertThat(queue.commands).containsExactly(
                LIST_QUERY,
                "0100" + "0100" + NO_MEMBER + "7fe4030000000000",
                SELF_LIST_QUERY,
                SELF_LIST_USE,
                CAP_ID_LIST_QUERY,
                DEVICE_CAP_GET,
                DRIVER_CAP_SET);
    }

    @Test
    void shouldDoWithTheListOfMembersWhenTheOwnerHasNoneOfItsOwn() throws Exception {
        for (String answer : new String[] {"1600040000000000", "0000000000000000" + "0300000000000000"}) {
            queue.commands.clear();
            selfGroup(answer);

            setUp();

            assertThat(queue.commands).containsExactly(
                    LIST_QUERY, LIST_USE, SELF_LIST_QUERY, CAP_ID_LIST_QUERY, DEVICE_CAP_GET, DRIVER_CAP_SET);
        }
    }

    @Test
    void shouldNameTheCommandsOfTheOwnerThatAreNowhere() {
        queue.opcodes = FakeAdminQueue.hex("7ffd030000000000"); // 8, but not 7 and 9
        selfGroup("1600040000000000");

        assertLacking("lacks the admin commands CAP_ID_LIST_QUERY, DRIVER_CAP_SET");
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
