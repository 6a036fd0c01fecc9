// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver.command;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.virtio.AdminCommand;
import dev.ferry.virtio.AdminCommandException;
import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.GroupType;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import dev.ferry.virtio.driver.fake.FakeClock;
import java.nio.ByteBuffer;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.Test;

/** What an exchange does otherwise than a channel; the rest is tested through the channel. */
class AdminExchangeTest {

    private final FakeAdminQueue queue = new FakeAdminQueue();
    private final AdminExchange exchange =
            new AdminExchange("host1/pf0", queue, new CommandTimeout("test"), new FakeClock());

    /** LEGACY_COMMON_CFG_READ of offset 0x0e to member 3. */
    private static AdminRequest read(int bytes) {
        AdminCommand command = AdminCommand.of(AdminOpcode.LEGACY_COMMON_CFG_READ, GroupType.SR_IOV, 3);
        ByteBuffer readable = ByteBuffer.allocate(25);
        command.encode(readable);
        readable.put((byte) 0x0e).flip();
        ByteBuffer result = ByteBuffer.allocate(bytes).put(0, (byte) 0x5A).put(bytes - 1, (byte) 0x5A);
        return new AdminRequest(command, new ByteBuffer[] {readable}, result);
    }

    private void answer(String hex) {
        queue.scripts.put(0x03, writable ->
                CompletableFuture.completedFuture(FakeAdminQueue.put(writable, FakeAdminQueue.hex(hex))));
    }

    @Test
    void shouldGiveTheDeviceExactlyTheBytesOfTheRequest() throws Exception {
        answer("0000000000000000 cdab");

        assertThat(exchange.read(read(2)).getShort(0)).isEqualTo((short) 0xABCD);

        assertThat(queue.commands)
                .containsExactly("0300" + "0100" + "000000000000000000000000" + "0300000000000000" + "0e");
        assertThat(FakeAdminQueue.join(queue.writables.get(0))).hasSize(8 + 2);
    }

    @Test
    void shouldReadZeroBehindWhatTheDeviceWrote() throws Exception {
        answer("0000000000000000 cd");
        assertThat(exchange.read(read(4)).getInt(0)).isEqualTo(0xCD);
        answer("0000000000000000");
        assertThat(exchange.read(read(4)).getInt(0)).isZero();
        answer("");
        assertThat(exchange.read(read(4)).getInt(0)).isZero();
    }

    @Test
    void shouldShowTheNumberOfAStatusThatNobodyKnows() {
        queue.refuse(0x03, 77, 99);

        assertThatExceptionOfType(AdminCommandException.class)
                .isThrownBy(() -> exchange.read(read(1)))
                .withMessageContaining("LEGACY_COMMON_CFG_READ for member 3")
                .withMessageContaining("EINVAL (unknown status 77)");
    }
}
