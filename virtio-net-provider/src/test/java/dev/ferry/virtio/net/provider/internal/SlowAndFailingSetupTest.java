// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static dev.ferry.virtio.net.provider.internal.ProviderFixture.properties;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.virtio.driver.MemberDriver;
import dev.ferry.virtio.driver.OwnerWatch;
import dev.ferry.virtio.driver.command.CommandTimeout;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import dev.ferry.virtio.driver.fake.PlainFormat;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** The provider before owners whose set-up fails, is not answered, or is overtaken. */
class SlowAndFailingSetupTest {

    private final ProviderFixture fixture = new ProviderFixture();
    private final FakeAdminQueue queue = fixture.queue;
    private final VirtioNetProvider provider = fixture.provider;
    private final Map<String, Map<String, Object>> services = fixture.services;
    private final Map<String, MemberDriver> drivers = fixture.drivers;

    @AfterEach
    void tearDown() {
        fixture.close();
    }

    @Test
    void shouldNotChangeTheListWhileAnEarlierCommandIsWithTheDevice() {
        CompletableFuture<Integer> late = new CompletableFuture<>();
        queue.scripts.put(FakeAdminQueue.LIST_QUERY, writable -> late);
        provider.settings().timeout().configure(() -> 10);
        provider.addAdminQueue(queue, properties(1));
        queue.scripts.clear();

        provider.updatedAdminQueue(queue, properties(2));

        assertThat(queue.count(FakeAdminQueue.LIST_USE)).isZero();
        assertThat(services.get("host1/pf0/vf2").get("ferry.not.migratable").toString())
                .contains("has not answered 1 admin commands");
        late.complete(8);
        provider.updatedAdminQueue(queue, properties(1));
        assertThat(drivers).containsOnlyKeys("host1/pf0/vf1");
    }

    @Test
    void shouldWarnOnceWhenAnOwnerCannotMigrate() {
        queue.capabilities = new byte[8];

        provider.addAdminQueue(queue, properties(3));

        assertThat(drivers).isEmpty();
        assertThat(services).hasSize(3).allSatisfy((id, properties) ->
                assertThat(properties.get("ferry.not.migratable").toString()).contains("no device parts capability"));
        assertThat(fixture.log.list).singleElement().satisfies(event -> {
            assertThat(event.getLevel()).isEqualTo(Level.WARN);
            assertThat(event.getFormattedMessage()).contains("host1/pf0").contains("no device parts capability");
        });
    }

    @Test
    void shouldTryAgainWithTheNextChangeOfMembers() {
        queue.refuse(FakeAdminQueue.LIST_QUERY, 22, 4);
        provider.addAdminQueue(queue, properties(1));
        assertThat(drivers).isEmpty();
        queue.scripts.clear();

        provider.updatedAdminQueue(queue, properties(2));

        assertThat(drivers).hasSize(2);
        assertThat(services.get("host1/pf0/vf1")).doesNotContainKey("ferry.not.migratable");
    }

    @Test
    void shouldTryAgainWhenMembersChangedDuringASetUpThatFailed() {
        queue.scripts.put(FakeAdminQueue.LIST_QUERY, writable -> {
            queue.scripts.clear();
            provider.updatedAdminQueue(queue, properties(2));
            return CompletableFuture.failedFuture(new DeviceException(Errno.EIO, "not ready yet"));
        });

        provider.addAdminQueue(queue, properties(1));

        assertThat(services).hasSize(2);
    }

    @Test
    void shouldNotTryAgainByItself() {
        queue.refuse(FakeAdminQueue.LIST_QUERY, 22, 4);

        provider.addAdminQueue(queue, properties(1));

        assertThat(queue.commands).hasSize(1);
    }

    @Test
    void shouldBreakOffASetUpWhenItIsDeactivated() {
        queue.before(FakeAdminQueue.LIST_QUERY, provider::deactivate);

        provider.addAdminQueue(queue, properties(1));

        assertThat(queue.commands).hasSize(1);
        assertThat(fixture.log.list).noneMatch(event -> event.getLevel().isGreaterOrEqual(Level.WARN));
    }

    @Test
    void shouldNotHoldUpWhoAnnouncesAnOwnerThatDoesNotAnswerAndRegisterLater() throws Exception {
        CompletableFuture<Integer> answer = new CompletableFuture<>();
        CountDownLatch registered = new CountDownLatch(1);
        VirtioNetProvider slow = new VirtioNetProvider(new PlainFormat(), (driver, properties) -> {
            if (driver instanceof MemberDriver) {
                registered.countDown();
            }
            return () -> {};
        }, OwnerWatch.SETUP_WAIT_MILLIS);
        slow.settings().timeout().configure(() -> CommandTimeout.MOST_MILLIS);
        queue.scripts.put(FakeAdminQueue.LIST_USE, writable -> answer);

        slow.addAdminQueue(queue, properties(1));

        assertThat(registered.getCount()).isEqualTo(1);
        answer.complete(8);
        assertThat(registered.await(30, TimeUnit.SECONDS)).isTrue();
        slow.deactivate();
    }

    @Test
    void shouldRegisterNothingWhenTheOwnerLeftDuringItsSetUp() {
        queue.before(FakeAdminQueue.DRIVER_CAP_SET, () -> provider.removeAdminQueue(queue, properties(0)));

        provider.addAdminQueue(queue, properties(3));

        assertThat(drivers).isEmpty();
    }
}
