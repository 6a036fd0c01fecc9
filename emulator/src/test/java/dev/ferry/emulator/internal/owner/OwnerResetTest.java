// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.plain;
import static dev.ferry.emulator.internal.owner.Bench.toMember;
import static dev.ferry.emulator.internal.owner.Bench.toSelf;
import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** What a reset of the owner device leaves, by whichever register. */
class OwnerResetTest {

    private static final String OK = "0000 0000 00000000";
    private static final String INVALID_OPCODE = "1600 0200 00000000";

    private enum Reset {
        DEVICE_STATUS,
        FUNCTION_LEVEL
    }

    private final Bench bench = Bench.ready();
    private final OwnerDriver driver = new OwnerDriver(bench.owner.ownerFunction()).start();

    private void perform(Reset reset) {
        switch (reset) {
            case DEVICE_STATUS -> driver.write(20, 1, 0);
            case FUNCTION_LEVEL -> {
                driver.functionLevelReset();
                assertThat(driver.config(driver.sriov() + 0x08, 2)).as("VF Enable and all of control").isZero();
                assertThat(driver.config(driver.sriov() + 0x10, 2)).as("NumVFs").isZero();
                assertThat(bench.owner.members()).isZero();
                driver.enableVfs(4);
            }
        }
    }

    @ParameterizedTest
    @EnumSource
    void shouldHaveOnlyTheListCommandsInUse(Reset reset) {
        bench.expectOk(Bench.USE_ALL);
        bench.expectOk(toSelf(1, "8303000000000000"));
        perform(reset);
        for (int opcode = 2; opcode < 0x14; opcode++) {
            assertThat(bench.execute(toMember(opcode, 1, ""), 8)).isEqualTo(plain(INVALID_OPCODE));
            assertThat(bench.execute(toSelf(opcode, ""), 8)).isEqualTo(plain(INVALID_OPCODE));
        }
        bench.expectOk(Bench.USE_ALL);
    }

    @ParameterizedTest
    @EnumSource
    void shouldCureAListWithoutTheListCommands(Reset reset) {
        bench.expectOk(Bench.USE_ALL);
        bench.expectOk(toMember(1, 0, "0000000000000000"));
        assertThat(bench.execute(Bench.USE_ALL, 8)).isEqualTo(plain(INVALID_OPCODE));
        perform(reset);
        bench.expectOk(Bench.USE_ALL);
    }

    @ParameterizedTest
    @EnumSource
    void shouldForgetTheDriversCapabilityAndDestroyObjects(Reset reset) {
        bench.expectOk(Bench.USE_ALL);
        bench.expectOk(Bench.SET_CAPABILITY);
        bench.expectOk(Bench.create(1, 0, 0));
        bench.expectOk(Bench.create(2, 1, 1));
        perform(reset);
        assertThat(bench.owner.resourceObjects()).isZero();
        bench.expectOk(Bench.USE_ALL);
        assertThat(bench.execute(Bench.create(1, 0, 0), 8)).as("limits are 0").isEqualTo(plain("1c00 0600 00000000"));
        bench.expectOk(Bench.SET_CAPABILITY);
        assertThat(bench.execute(toMember(0x0c, 2, Bench.object(1)), 8)).isEqualTo(plain("0600 0300 00000000"));
        bench.expectOk(Bench.create(1, 0, 0));
    }

    @ParameterizedTest
    @EnumSource
    void shouldLetEveryMemberWork(Reset reset) {
        bench.expectOk(Bench.USE_ALL);
        bench.expectOk(toMember(0x11, 1, "01"));
        bench.expectOk(toMember(0x11, 4, "01"));
        perform(reset);
        assertThat(bench.current(1).stopped).isFalse();
        assertThat(bench.current(4).stopped).isFalse();
        assertThat(bench.current(1) == bench.member(1))
                .as("the same members, unless VFs were disabled")
                .isEqualTo(reset == Reset.DEVICE_STATUS);
        assertThat(bench.member(1).resets).isZero();
    }

    @ParameterizedTest
    @EnumSource
    void shouldBeDrivenAgain(Reset reset) {
        perform(reset);
        driver.start();
        assertThat(driver.execute(Bench.USE_ALL, 8)).isEqualTo(plain(OK));
    }
}
