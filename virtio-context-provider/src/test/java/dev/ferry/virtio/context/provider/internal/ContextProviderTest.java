// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context.provider.internal;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.device.MigrationDriver;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.driver.fake.PlainFormat;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.osgi.framework.Constants;
import org.osgi.framework.Filter;
import org.osgi.framework.FrameworkUtil;

/** Which members are seen, and how. */
class ContextProviderTest {
    /** A stalled build must not have a test go on before a set-up is done. */
    private static final long SETUP_WAIT_MILLIS = 60_000;

    private final Map<String, Map<String, Object>> services = new ConcurrentHashMap<>();
    private final Map<String, MigrationDriver> drivers = new ConcurrentHashMap<>();
    private final FakeContextQueue queue = new FakeContextQueue();
    private final ContextProvider provider = new ContextProvider(
            new PlainFormat(), this::register, SETUP_WAIT_MILLIS);

    private Runnable register(MigrationDriver driver, Map<String, Object> properties) {
        String id = (String) properties.get("ferry.device.id");
        services.put(id, properties);
        drivers.put(id, driver);
        return () -> services.remove(id);
    }

    private static Map<String, Object> properties(int members) {
        return Map.of(
                Constants.SERVICE_ID, 40L,
                AdminQueue.OWNER_ID, "host1/pf0",
                AdminQueue.HOST, "host1",
                AdminQueue.MEMBERS, members,
                AdminQueue.MEMBER_TYPE, "virtio-net");
    }

    @AfterEach
    void tearDown() {
        provider.deactivate();
    }

    @ParameterizedTest
    @ValueSource(strings = {"ferry.owner.id", "ferry.host", "ferry.owner.member.type"})
    void shouldNotBeToldOfAnOwnerThatLacksAProperty(String missing) throws Exception {
        Filter owners = FrameworkUtil.createFilter(ContextProvider.OWNERS);
        Map<String, Object> properties = new HashMap<>(properties(1));
        assertThat(owners.matches(properties)).isTrue();

        properties.remove(missing);

        assertThat(owners.matches(properties)).isFalse();
    }

    @Test
    void shouldRegisterADriverPerMember() {
        provider.addAdminQueue(queue, properties(2));

        assertThat(services).containsOnlyKeys("host1/pf0/vf1", "host1/pf0/vf2");
        assertThat(services.get("host1/pf0/vf2")).doesNotContainKey("ferry.not.migratable");
    }

    @Test
    void shouldShowMembersOfAnOwnerThatHasOnlyAPartOfTheSet() {
        queue.list = "0300000000000000 0000000000000000 0000000000000000 0000000000000000 8003000000000000";

        provider.addAdminQueue(queue, properties(2));

        assertThat(services).containsOnlyKeys("host1/pf0/vf1", "host1/pf0/vf2");
        assertThat(services.get("host1/pf0/vf2").get("ferry.not.migratable").toString()).contains("V1_DEV_CTX_READ");
        assertThat(drivers.get("host1/pf0/vf2").features()).isEmpty();
        assertThatExceptionOfType(DeviceException.class)
                .isThrownBy(() -> drivers.get("host1/pf0/vf2").reset())
                .satisfies(e -> assertThat(e.errno()).isEqualTo(Errno.EOPNOTSUPP));
    }

    @Test
    void shouldShowMembersOfAnOwnerThatRefusesItsList() {
        queue.answer(0x0001, "1600 0100 00000000");

        provider.addAdminQueue(queue, properties(1));

        assertThat(services.get("host1/pf0/vf1").get("ferry.not.migratable").toString()).contains("LIST_USE");
    }

    /** The other provider shows the members of all of these, and two drivers of one device must not be. */
    @Test
    void shouldShowNothingOfAnOwnerThatIsForAnotherProvider() {
        queue.list = "ffff030000000000";
        provider.addAdminQueue(queue, properties(1));
        assertThat(services).as("device parts").isEmpty();

        queue.list = "ffff030000000000 0000000000000000 0000000000000000 0000000000000000 80ff030000000000";
        provider.updatedAdminQueue(queue, properties(2));
        assertThat(services).as("both").isEmpty();

        queue.list = "0300000000000000";
        provider.updatedAdminQueue(queue, properties(1));
        assertThat(services).as("neither").isEmpty();

        queue.answer(0x0000, "1600 0100 00000000");
        provider.updatedAdminQueue(queue, properties(2));
        assertThat(services).as("nobody knows").isEmpty();
        assertThat(queue.commands).noneMatch(command -> command.startsWith("0100"));
    }

    @Test
    void shouldShowNothingOfAnOwnerWhoseQueueIsBroken() {
        AdminQueue broken =
                (readable, writable) -> CompletableFuture.failedFuture(new DeviceException(Errno.EIO, "broken"));

        provider.addAdminQueue(broken, properties(1));

        assertThat(services).isEmpty();
    }
}
