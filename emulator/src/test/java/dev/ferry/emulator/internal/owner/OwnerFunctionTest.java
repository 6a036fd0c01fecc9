// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.plain;
import static dev.ferry.emulator.internal.owner.Bench.toMember;
import static dev.ferry.emulator.internal.owner.Bench.toSelf;
import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.internal.owner.OwnerDriver.Request;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The owner device as a PCI function with an administration virtqueue. */
class OwnerFunctionTest {

    private static final String OK = "0000 0000 00000000";
    private static final String INVALID_OPCODE = "1600 0200 00000000";
    private static final String STOP = "01";

    private final Bench bench = Bench.reset(4, false);
    private final OwnerDriver driver = new OwnerDriver(bench.owner.ownerFunction());

    @Test
    void shouldBeAVirtioNetFunctionThatCanBeReset() {
        assertThat(bench.owner.ownerFunction().id()).isEqualTo("host1/pf0");
        assertThat(driver.config(0, 4)).isEqualTo(0x1041_1AF4L);
        assertThat(driver.config(driver.capability(0x10) + 4, 4) & 1 << 28).isNotZero();
        assertThat(driver.config(driver.capability(0x11) + 2, 2)).as("one vector per queue and one").isEqualTo(3);
    }

    @Test
    void shouldOfferAnAdministrationVirtqueueBehindTheOthers() {
        assertThat(driver.offeredFeatures() & (OwnerDriver.ADMIN_VQ | OwnerDriver.SR_IOV | OwnerDriver.VERSION_1))
                .isEqualTo(OwnerDriver.ADMIN_VQ | OwnerDriver.SR_IOV | OwnerDriver.VERSION_1);
        assertThat(driver.read(18, 2)).as("num_queues").isEqualTo(2);
        assertThat(driver.read(60, 2)).as("admin_queue_index").isEqualTo(2);
        assertThat(driver.read(62, 2)).as("admin_queue_num").isEqualTo(1);
    }

    @Test
    void shouldHaveTheAdministrationVirtqueueOnlyOnceItIsNegotiated() {
        driver.write(22, 2, 2);
        assertThat(driver.read(24, 2)).as("before").isZero();
        driver.negotiate(OwnerDriver.VERSION_1);
        driver.write(22, 2, 2);
        assertThat(driver.read(24, 2)).as("without bit 41").isZero();
        driver.write(28, 2, 1);
        assertThat(driver.read(28, 2)).isZero();
        driver.negotiate(OwnerDriver.VERSION_1 | OwnerDriver.ADMIN_VQ);
        driver.write(22, 2, 2);
        assertThat(driver.read(24, 2)).isEqualTo(256);
        driver.write(22, 2, 3);
        assertThat(driver.read(24, 2)).as("there is one").isZero();
    }

    @Test
    void shouldHaveNoLink() {
        assertThat(driver.readDevice(6, 2)).isZero();
        assertThat(Bench.hex(VirtioNetMembers.mac("host1/pf0", 0))).startsWith("02").endsWith("0000");
        assertThat(driver.readDevice(0, 2)).isEqualTo(
                Byte.toUnsignedLong((byte) 2) | Byte.toUnsignedLong(VirtioNetMembers.mac("host1/pf0", 0)[1]) << 8);
    }

    @Test
    void shouldExecuteACommandOfTheVirtqueueAndInterrupt() {
        driver.start();
        assertThat(driver.execute(toSelf(0, ""), 4096)).isEqualTo(plain(OK + "8303000000000000"));
        assertThat(driver.interrupts).containsExactly(OwnerDriver.ADMIN_VECTOR);
    }

    @Test
    void shouldTellTheLengthItWrote() {
        driver.start();
        assertThat(driver.execute("ffff", 64)).isEqualTo(plain("1600 0200 00000000"));
        assertThat(driver.execute(toSelf(0, ""), 8)).isEqualTo(plain(OK));
        assertThat(driver.execute(toSelf(0, ""), 3)).isEqualTo("000000");
        assertThat(driver.execute(toSelf(0, ""), 0)).isEmpty();
        assertThat(driver.execute("", 16)).isEqualTo(plain(OK + "8303000000000000"));
        assertThat(driver.execute("", 0)).isEmpty();
    }

    @Test
    void shouldTakePartsInAnyPiecesAndInIndirectTables() {
        driver.start();
        for (int piece : new int[] {1, 2, 3, 5, 8, 24, 100}) {
            for (boolean indirect : new boolean[] {false, true}) {
                Request use = new Request(Bench.bytes(Bench.USE_ALL), 8, piece, indirect);
                Request query = new Request(Bench.bytes(toMember(0, 0, "")), 32, piece, indirect);
                List<byte[]> answers = driver.execute(List.of(use, query));
                assertThat(Bench.hex(answers.get(0))).isEqualTo(plain(OK));
                assertThat(Bench.hex(answers.get(1))).isEqualTo(plain(OK + "ffff030000000000"));
            }
        }
    }

    @Test
    void shouldExecuteCommandsInTheOrderOfTheQueue() {
        driver.start();
        List<Request> requests = new ArrayList<>();
        requests.add(Request.of(toMember(0x11, 1, STOP), 8));
        requests.add(Request.of(Bench.USE_ALL, 8));
        requests.add(Request.of(Bench.SET_CAPABILITY, 8));
        requests.add(Request.of(Bench.create(1, 0, 0), 8));
        requests.add(Request.of(Bench.create(1, 0, 0), 8));
        requests.add(Request.of(Bench.destroy(1, 0), 8));
        requests.add(Request.of(Bench.create(1, 0, 1), 8));
        assertThat(driver.execute(requests))
                .extracting(Bench::hex)
                .containsExactly(
                        plain(INVALID_OPCODE), plain(OK), plain(OK), plain(OK), plain("1100 0300 00000000"), plain(OK),
                        plain(OK));
        assertThat(driver.interrupts).containsExactly(OwnerDriver.ADMIN_VECTOR);
    }

    @Test
    void shouldBeTheSameDeviceByVirtqueueAndByService() {
        driver.start();
        bench.expectOk(Bench.USE_ALL);
        assertThat(driver.execute(Bench.SET_CAPABILITY, 8)).isEqualTo(plain(OK));
        bench.expectOk(Bench.create(2, 7, 0));
        assertThat(driver.execute(toMember(0x0c, 2, Bench.object(7)), 16)).isEqualTo(plain(OK + "0000000000000000"));
        assertThat(driver.execute(Bench.destroy(2, 7), 8)).isEqualTo(plain(OK));
        assertThat(bench.owner.resourceObjects()).isZero();
    }

    @Test
    void shouldNeedAResetWhenADescriptorLeadsNowhereAndHaveExecutedNothing() {
        driver.start();
        driver.execute(Bench.USE_ALL, 8);
        driver.interrupts.clear();
        driver.place(List.of(Request.of(toMember(0x11, 1, STOP), 8)), new int[1], new int[1]);
        driver.descriptor(16, 0x7000_0000, 8, 2, 0);
        driver.kick();
        assertThat(driver.read(20, 1) & 0x40).as("DEVICE_NEEDS_RESET").isNotZero();
        assertThat(driver.interrupts).containsExactly(OwnerDriver.CONFIG_VECTOR);
        assertThat(bench.member(1).stopped).isFalse();
        assertThat(driver.usedIndex()).isEqualTo(1);
        bench.expectOk(toMember(0x11, 1, STOP));
        driver.start();
        assertThat(bench.member(1).stopped).as("the reset of the owner device").isFalse();
        assertThat(driver.execute(Bench.USE_ALL, 8)).isEqualTo(plain(OK));
    }

    @Test
    void shouldWaitWithCommandsUntilTheFunctionMayMasterTheBus() {
        driver.start();
        driver.function.writeConfig(0x04, 2, 0x0002);
        driver.place(List.of(Request.of(Bench.USE_ALL, 8)), new int[1], new int[1]);
        driver.kick();
        assertThat(driver.usedIndex()).isZero();
        driver.function.writeConfig(0x04, 2, 0x0006);
        assertThat(driver.usedIndex()).isEqualTo(1);
        bench.expectOk(toMember(0x11, 1, STOP));
    }

    @Test
    void shouldTouchNoMemoryWhenACommandLedToAReset() {
        driver.start();
        driver.execute(Bench.USE_ALL, 8);
        driver.execute(toMember(0x11, 1, STOP), 8);
        // Whoever takes an interrupt of a member that was set to work may do anything, on the thread of the command.
        bench.member(1).whenSet = () -> driver.write(20, 1, 0);
        driver.interrupts.clear();
        driver.place(
                List.of(Request.of(toMember(0x11, 1, "00"), 8), Request.of(toSelf(0, ""), 8)),
                new int[2],
                new int[2]);
        driver.kick();
        assertThat(driver.read(20, 1)).isZero();
        assertThat(driver.usedIndex()).as("nothing more was used").isEqualTo(2);
        assertThat(driver.interrupts).isEmpty();
    }

    @Test
    void shouldBePulledOutWithItsAdapter() {
        driver.start();
        bench.owner.close();
        assertThat(driver.config(0, 4)).isEqualTo(0xFFFF_FFFFL);
        driver.kick();
        driver.enableVfs(2);
        assertThat(bench.owner.members()).isZero();
    }
}
