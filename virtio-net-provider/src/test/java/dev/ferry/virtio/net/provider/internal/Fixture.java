// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DataTransferSession;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.Arc;
import dev.ferry.virtio.driver.command.AdminChannel;
import dev.ferry.virtio.driver.command.CommandTimeout;
import dev.ferry.virtio.driver.command.SystemClock;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import dev.ferry.virtio.driver.fake.FakeClock;
import dev.ferry.virtio.driver.fake.PlainFormat;
import java.util.Optional;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;

/** A driver for member 3 of host1/pf0, whose set-up is done, before a fake queue. */
final class Fixture {

    static final int MEMBER = 3;
    /** u16 group type SR-IOV, 12 reserved bytes, u64 member id 3. */
    static final String TO_MEMBER = "0100" + "000000000000000000000000" + "0300000000000000";

    static final String STOP = "1100" + TO_MEMBER + "0100000000000000";
    static final String RESUME = "1100" + TO_MEMBER + "0000000000000000";

    final FakeClock clock = new FakeClock();
    final ProviderSettings settings = new ProviderSettings();
    final CommandTimeout timeout = settings.timeout();
    final PlainFormat format = new PlainFormat();
    final FakeAdminQueue queue;
    final OwnerDevice owner;
    final VirtioNetDriver driver;

    Fixture(FakeAdminQueue queue, String... vendorOpcodes) throws DeviceException {
        this.queue = queue;
        settings.vendorOpcodes().configure(() -> vendorOpcodes);
        timeout.configure(() -> CommandTimeout.LEAST_MILLIS);
        AdminChannel channel = new AdminChannel("host1/pf0", queue, timeout, new SystemClock());
        owner = new OwnerSetup("host1/pf0", queue, channel, settings, () -> false).run();
        driver = new VirtioNetDriver("host1/pf0/vf3", owner, MEMBER, format, timeout, clock::nanoTime);
        queue.commands.clear();
    }

    /** RESOURCE_OBJ_CREATE: object header, flags, operation (0 GET, 1 SET). */
    static String create(int id, int operation) {
        return "0a00" + TO_MEMBER + object(id) + "0000000000000000" + "%02x".formatted(operation) + "00000000000000";
    }

    static String destroy(int id) {
        return "0d00" + TO_MEMBER + object(id);
    }

    static String metadataSize(int id) {
        return "0e00" + TO_MEMBER + object(id) + "0000000000000000";
    }

    static String getAll(int id) {
        return "0f00" + TO_MEMBER + object(id) + "0100000000000000";
    }

    static String set(int id, String parts) {
        return "1000" + TO_MEMBER + object(id) + parts;
    }

    /** type u16 0, reserved u16, id u32. */
    private static String object(int id) {
        return "00000000" + "%02x000000".formatted(id);
    }

    /** Takes the arcs one after the other; the last session opened. */
    Optional<DataTransferSession> walk(Arc... arcs) throws DeviceException {
        Optional<DataTransferSession> session = Optional.empty();
        for (Arc arc : arcs) {
            Optional<DataTransferSession> opened = driver.step(arc);
            session = opened.isPresent() ? opened : session;
        }
        return session;
    }

    /** These commands were sent, and no other, since the last time somebody asked. */
    void assertCommands(String... commands) {
        assertThat(queue.commands).containsExactly(commands);
        queue.commands.clear();
    }

    static void assertErrno(Errno errno, ThrowingCallable call) {
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(call)
                .satisfies(e -> assertThat(e.errno()).isEqualTo(errno));
    }
}
