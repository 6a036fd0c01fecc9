// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.HashSet;
import java.util.Set;
import org.junit.jupiter.api.Test;

class VirtioNetMembersTest {

    @Test
    void shouldNameMembersAfterTheirOwner() {
        Member member = new VirtioNetMembers(Bench.settings(4, false)).apply(3);
        assertThat(member.function().id()).isEqualTo("host1/pf0/vf3");
    }

    @Test
    void shouldGiveUnicastAddressesOfOurOwnWithTheMemberInThem() {
        byte[] mac = VirtioNetMembers.mac("host1/pf0", 0x0102);
        assertThat(mac).hasSize(6).startsWith(0x02).endsWith(0x01, 0x02);
        assertThat(VirtioNetMembers.mac("host1/pf0", 0x0102)).isEqualTo(mac);
    }

    @Test
    void shouldGiveNoAddressTwice() {
        Set<String> seen = new HashSet<>();
        for (int host = 1; host <= 8; host++) {
            for (int port = 0; port < 4; port++) {
                for (int member = 1; member <= 100; member++) {
                    String owner = "host" + host + "/pf" + port;
                    assertThat(seen.add(Bench.hex(VirtioNetMembers.mac(owner, member)))).as(owner).isTrue();
                }
            }
        }
    }

    @Test
    void shouldMakeAThousandMembersWithManyQueues() {
        AdapterSettings large = Adapters.parts("host1", "pf0", 1000, 255, 32768, false, 255, true);
        try (OwnerDevice owner = new OwnerDevice(large, new VirtioNetMembers(large))) {
            assertThat(owner.function(1000).id()).isEqualTo("host1/pf0/vf1000");
        }
    }
}
