// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static dev.ferry.emulator.internal.owner.Bench.plain;
import static dev.ferry.emulator.internal.owner.Bench.toMember;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.ferry.emulator.control.PciFunction;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

/** The SR-IOV extended capability, as the driver of the owner device uses it. */
class VfEnableTest {

    private static final String OK = "0000 0000 00000000";
    private static final String INVALID_GROUP = "1600 0400 00000000";
    private static final String INVALID_MEMBER = "1600 0500 00000000";

    private static final int CONTROL = 0x08;
    private static final int NUM_VFS = 0x10;
    private static final int SYSTEM_PAGE_SIZE = 0x20;
    private static final int VF_BAR_2 = 0x2C;

    private final Bench bench = Bench.reset(4, false);
    private final OwnerDriver driver = new OwnerDriver(bench.owner.ownerFunction());

    private long sriov(int offset, int size) {
        return driver.config(driver.sriov() + offset, size);
    }

    private void sriov(int offset, int size, long value) {
        driver.function.writeConfig(driver.sriov() + offset, size, value);
    }

    @Test
    void shouldDescribeItsVfs() {
        assertThat(driver.config(0x100, 4)).as("id, version, next").isEqualTo(0x1401_0010L);
        assertThat(driver.config(0x140, 4)).as("ARI is the last").isEqualTo(0x0001_000EL);
        assertThat(sriov(0x04, 4)).as("no VF migration").isZero();
        assertThat(sriov(CONTROL, 2)).as("enabled by the configuration").isEqualTo(0x0009);
        assertThat(sriov(0x0C, 2)).as("InitialVFs").isEqualTo(4096);
        assertThat(sriov(0x0E, 2)).as("TotalVFs").isEqualTo(4096);
        assertThat(sriov(NUM_VFS, 2)).isEqualTo(4);
        assertThat(sriov(0x14, 2)).as("First VF Offset").isEqualTo(1);
        assertThat(sriov(0x16, 2)).as("VF Stride").isEqualTo(1);
        assertThat(sriov(0x1A, 2)).as("VF Device ID").isEqualTo(0x1041);
        assertThat(sriov(0x1C, 4)).as("Supported Page Sizes").isEqualTo(0x553);
        assertThat(sriov(SYSTEM_PAGE_SIZE, 4)).isEqualTo(1);
    }

    @Test
    void shouldShowTheSizeOfTheBarsOfAVf() {
        sriov(VF_BAR_2, 4, 0xFFFF_FFFFL);
        assertThat(sriov(VF_BAR_2, 4)).isEqualTo(0xFFFF_C004L);
        driver.disableVfs();
        sriov(SYSTEM_PAGE_SIZE, 4, 0x10);
        assertThat(sriov(SYSTEM_PAGE_SIZE, 4)).isEqualTo(0x10);
        sriov(VF_BAR_2, 4, 0xFFFF_FFFFL);
        assertThat(sriov(VF_BAR_2, 4)).as("pages of 64 KiB").isEqualTo(0xFFFF_0004L);
        sriov(SYSTEM_PAGE_SIZE, 4, 0x11);
        assertThat(sriov(SYSTEM_PAGE_SIZE, 4)).as("one size at a time").isEqualTo(0x10);
        sriov(0x24, 4, 0xFFFF_FFFFL);
        assertThat(sriov(0x24, 4)).as("VF BAR 0 is hardwired to zero").isZero();
    }

    @Test
    void shouldPullOutItsVfsWhenVfEnableIsCleared() {
        bench.expectOk(Bench.USE_ALL);
        bench.expectOk(Bench.SET_CAPABILITY);
        bench.expectOk(Bench.create(2, 0, 0));
        driver.disableVfs();
        assertThat(bench.owner.members()).isZero();
        assertThat(bench.factory.made).hasSize(4).allMatch(member -> member.removed);
        assertThat(bench.owner.resourceObjects()).isZero();
        assertThatIllegalArgumentException().isThrownBy(() -> bench.owner.function(1));
        assertThat(bench.execute(toMember(0x11, 1, "01"), 8)).isEqualTo(plain(INVALID_GROUP));
        assertThat(sriov(NUM_VFS, 2)).as("kept by itself").isEqualTo(4);
    }

    @Test
    void shouldBringAsManyNewVfsAsTheDriverWants() {
        driver.disableVfs();
        driver.enableVfs(6);
        assertThat(bench.owner.members()).isEqualTo(6);
        assertThat(bench.factory.made).hasSize(10);
        bench.expectOk(Bench.USE_ALL);
        bench.expectOk(toMember(0x11, 6, "01"));
        assertThat(bench.current(6).stopped).isTrue();
        assertThat(bench.execute(toMember(0x11, 7, "01"), 8)).isEqualTo(plain(INVALID_MEMBER));
    }

    @Test
    void shouldKeepListsAndCapabilityWhenVfsComeAndGo() {
        bench.expectOk(Bench.USE_ALL);
        bench.expectOk(Bench.SET_CAPABILITY);
        driver.disableVfs();
        driver.enableVfs(2);
        bench.expectOk(Bench.create(2, 254, 1));
    }

    @Test
    void shouldKeepTheNumberWhileVfsAreEnabled() {
        sriov(NUM_VFS, 2, 2);
        assertThat(sriov(NUM_VFS, 2)).isEqualTo(4);
        assertThat(bench.owner.members()).isEqualTo(4);
        driver.disableVfs();
        sriov(NUM_VFS, 2, 4097);
        assertThat(sriov(NUM_VFS, 2)).as("more than TotalVFs").isEqualTo(4);
        sriov(NUM_VFS, 2, 4096);
        assertThat(sriov(NUM_VFS, 2)).isEqualTo(4096);
        assertThat(bench.owner.members()).isZero();
    }

    @Test
    void shouldKeepReadOnlyRegisters() {
        driver.disableVfs();
        for (int offset = 0; offset < NUM_VFS; offset += 4) {
            if (offset != CONTROL) {
                sriov(offset, 4, 0xFFFF_FFFFL);
            }
        }
        sriov(0x14, 4, 0xFFFF_FFFFL);
        sriov(0x18, 4, 0xFFFF_FFFFL);
        sriov(0x1C, 4, 0);
        driver.enableVfs(4);
        shouldDescribeItsVfs();
    }

    @Test
    void shouldHaveNoGroupByTheTextWhileVfEnableIsClear() {
        Bench strict = Bench.reset(2, true);
        OwnerDriver strictDriver = new OwnerDriver(strict.owner.ownerFunction());
        assertThat(strict.execute(toMember(0, 0, ""), 16)).isEqualTo(plain(OK + "ffff030000000000"));
        strictDriver.disableVfs();
        assertThat(strict.execute(toMember(0, 0, ""), 16)).isEqualTo(plain(INVALID_GROUP));
        strictDriver.enableVfs(0);
        assertThat(strict.execute(toMember(0, 0, ""), 16)).as("a group of none").startsWith("0000");
        assertThat(bench.execute(toMember(0, 0, ""), 16)).startsWith("0000");
        driver.disableVfs();
        assertThat(bench.execute(toMember(0, 0, ""), 16)).as("the habit of Linux").startsWith("0000");
        bench.expectOk(Bench.USE_ALL);
        assertThat(bench.execute(toMember(0x11, 1, "01"), 8)).as("only to list").isEqualTo(plain(INVALID_GROUP));
    }

    @Test
    void shouldTellWhoFollowsTheNumberAndNobodyTwice() {
        List<Integer> told = new ArrayList<>();
        bench.owner.onMembersChanged(() -> told.add(bench.owner.members()));
        driver.disableVfs();
        driver.disableVfs();
        driver.enableVfs(3);
        bench.owner.resize(5);
        driver.functionLevelReset();
        assertThat(told).containsExactly(0, 3, 0);
    }

    @Test
    void shouldFollowTheConfigurationInItsRegisters() {
        bench.owner.resize(7);
        assertThat(sriov(NUM_VFS, 2)).isEqualTo(7);
        assertThat(sriov(CONTROL, 2)).isEqualTo(0x0009);
        bench.owner.resize(0);
        assertThat(sriov(NUM_VFS, 2)).isZero();
        assertThat(sriov(CONTROL, 2)).isZero();
    }

    @Test
    void shouldBringRealVfsWithDefaults() {
        AdapterSettings settings = Bench.settings(2, false);
        try (OwnerDevice owner = new OwnerDevice(settings, new VirtioNetMembers(settings))) {
            OwnerDriver real = new OwnerDriver(owner.ownerFunction());
            PciFunction before = owner.function(2);
            before.writeConfig(0x04, 2, 0x0006);
            before.writeBar(2, 20, 1, 1);
            assertThat(before.readBar(2, 20, 1)).isEqualTo(1);
            real.disableVfs();
            assertThat(before.readConfig(0, 4)).isEqualTo(0xFFFF_FFFFL);
            assertThat(before.readBar(2, 20, 1)).isEqualTo(0xFF);
            real.enableVfs(2);
            PciFunction after = owner.function(2);
            assertThat(after.readConfig(0, 4)).isEqualTo(0x1041_1AF4L);
            assertThat(after.readConfig(0x04, 2)).isZero();
            after.writeConfig(0x04, 2, 0x0006);
            assertThat(after.readBar(2, 20, 1)).isZero();
            assertThat(before.readConfig(0, 4)).as("another function").isEqualTo(0xFFFF_FFFFL);
        }
    }
}
