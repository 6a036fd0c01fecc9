// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.emulator.internal.member.MemberDevice;
import java.lang.reflect.Proxy;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

class MemberGroupTest {

    private final List<String> calls = new ArrayList<>();
    private Duration waited = Duration.ZERO;

    /** Somebody takes an interrupt of it for ever. */
    private MemberDevice stuck(int id) {
        Class<?>[] types = {MemberDevice.class};
        return (MemberDevice) Proxy.newProxyInstance(types[0].getClassLoader(), types, (proxy, method, arguments) -> {
            calls.add(method.getName() + " " + id);
            if (method.getName().equals("awaitSenders")) {
                waited = waited.plus((Duration) arguments[0]);
                return false;
            }
            return null;
        });
    }

    @Test
    void shouldWaitOnceForAllMembersThatAreRemovedTogether() {
        MemberGroup group = new MemberGroup(id -> new Member(stuck(id), null, null), () -> waited.toNanos());
        group.resize(4);

        group.resize(1);

        assertThat(group.count()).isEqualTo(1);
        assertThat(calls).containsExactly(
                "pullOut 2", "pullOut 3", "pullOut 4", "awaitSenders 2", "awaitSenders 3", "awaitSenders 4");
        assertThat(waited).isEqualTo(MemberGroup.SENDERS_TIMEOUT);
    }
}
