// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;
import dev.ferry.fsm.Arc;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.driver.MemberDriver;
import dev.ferry.virtio.driver.OwnerWatch;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import dev.ferry.virtio.driver.fake.PlainFormat;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.osgi.framework.Constants;
import org.slf4j.LoggerFactory;

class VirtioNetProviderTest {

    private final Logger logger = (Logger) LoggerFactory.getLogger(OwnerWatch.class);
    private final ListAppender<ILoggingEvent> log = new ListAppender<>();
    private final Map<String, Map<String, Object>> services = new ConcurrentHashMap<>();
    private final Map<String, MemberDriver> drivers = new ConcurrentHashMap<>();
    private final FakeAdminQueue queue = new FakeAdminQueue();
    private Runnable onUnregister = () -> {};
    private VirtioNetProvider provider;

    @BeforeEach
    void setUp() {
        log.start();
        logger.addAppender(log);
        provider = new VirtioNetProvider(new PlainFormat(), (driver, properties) -> {
            String id = (String) properties.get("ferry.device.id");
            services.put(id, properties);
            if (driver instanceof MemberDriver migratable) {
                drivers.put(id, migratable);
            }
            return () -> {
                onUnregister.run();
                services.remove(id);
            };
        });
    }

    @AfterEach
    void tearDown() {
        provider.deactivate();
        logger.detachAppender(log);
    }

    private static Map<String, Object> properties(int members) {
        Map<String, Object> properties = new HashMap<>();
        properties.put(Constants.SERVICE_ID, 40L);
        properties.put(AdminQueue.OWNER_ID, "host1/pf0");
        properties.put(AdminQueue.HOST, "host1");
        properties.put(AdminQueue.MEMBERS, members);
        properties.put(AdminQueue.MEMBER_TYPE, "virtio-net");
        return properties;
    }

    @Test
    void shouldRegisterADriverPerMemberWithItsProperties() {
        provider.addAdminQueue(queue, properties(2));

        assertThat(services).containsOnlyKeys("host1/pf0/vf1", "host1/pf0/vf2");
        assertThat(services.get("host1/pf0/vf2"))
                .containsEntry("ferry.device.id", "host1/pf0/vf2")
                .containsEntry("ferry.device.type", "virtio-net")
                .containsEntry("ferry.backend", "virtio")
                .containsEntry("ferry.host", "host1")
                .containsEntry("ferry.owner.id", "host1/pf0")
                .containsEntry("ferry.owner.member", 2)
                .containsEntry("ferry.owner.sessions", 3)
                .containsEntry("ferry.stream.name", "virtiovf")
                .hasSize(8);
    }

    @Test
    void shouldFollowTheNumberOfMembersAndSetUpOnce() {
        provider.addAdminQueue(queue, properties(2));
        provider.updatedAdminQueue(queue, properties(4));
        assertThat(services).hasSize(4);

        provider.updatedAdminQueue(queue, properties(1));
        assertThat(services).containsOnlyKeys("host1/pf0/vf1");
        assertThat(queue.count(FakeAdminQueue.LIST_USE)).isEqualTo(2); // one per group type
    }

    @Test
    void shouldSetUpAgainWhenTheMembersAreBack() {
        provider.addAdminQueue(queue, properties(2));
        MemberDriver before = drivers.get("host1/pf0/vf1");

        provider.updatedAdminQueue(queue, properties(0));
        assertThat(services).isEmpty();
        provider.updatedAdminQueue(queue, properties(2));

        assertThat(services).hasSize(2);
        assertThat(drivers.get("host1/pf0/vf1")).isNotSameAs(before);
        assertThat(queue.count(FakeAdminQueue.DRIVER_CAP_SET)).isEqualTo(2);
    }

    @Test
    void shouldNotChangeTheListWhileAnEarlierCommandIsWithTheDevice() {
        CompletableFuture<Integer> late = new CompletableFuture<>();
        queue.scripts.put(FakeAdminQueue.LIST_QUERY, writable -> late);
        provider.settings().timeout().configure(10);
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
    void shouldNotTalkToAnOwnerBeforeItHasMembers() {
        provider.addAdminQueue(queue, properties(0));
        assertThat(queue.commands).isEmpty();

        provider.updatedAdminQueue(queue, properties(1));
        assertThat(services).hasSize(1);
    }

    @Test
    void shouldRegisterAThousandMembers() {
        provider.addAdminQueue(queue, properties(1000));

        assertThat(services).hasSize(1000);
        assertThat(queue.commands).hasSize(7);
    }

    @Test
    void shouldUnregisterWhenTheOwnerLeaves() {
        provider.addAdminQueue(queue, properties(3));

        provider.removeAdminQueue(queue, properties(0));

        assertThat(services).isEmpty();
    }

    @Test
    void shouldKeepADriverWorkingUntilItsUnregistrationReturned() throws Exception {
        provider.addAdminQueue(queue, properties(1));
        MemberDriver driver = drivers.get("host1/pf0/vf1");
        driver.step(Arc.RUNNING_TO_PRE_COPY);
        onUnregister = () -> {
            try {
                driver.step(Arc.PRE_COPY_TO_RUNNING);
            } catch (DeviceException e) {
                throw new AssertionError(e);
            }
        };

        provider.deactivate();

        assertThat(services).isEmpty();
        assertThat(queue.objects).isEmpty();
        assertThat(log.list).noneMatch(event -> event.getLevel() == Level.ERROR);
    }

    @Test
    void shouldWarnOnceWhenAnOwnerCannotMigrate() {
        queue.capabilities = new byte[8];

        provider.addAdminQueue(queue, properties(3));

        assertThat(drivers).isEmpty();
        assertThat(services).hasSize(3).allSatisfy((id, properties) ->
                assertThat(properties.get("ferry.not.migratable").toString()).contains("no device parts capability"));
        assertThat(log.list).singleElement().satisfies(event -> {
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
        assertThat(log.list).noneMatch(event -> event.getLevel().isGreaterOrEqual(Level.WARN));
    }

    @Test
    void shouldKeepOwnersApartThatShareOneQueueObject() {
        Map<String, Object> other = properties(1);
        other.put(Constants.SERVICE_ID, 41L);
        other.put(AdminQueue.OWNER_ID, "host1/pf1");
        provider.addAdminQueue(queue, properties(1));
        provider.addAdminQueue(queue, other);
        assertThat(services).containsOnlyKeys("host1/pf0/vf1", "host1/pf1/vf1");

        provider.removeAdminQueue(queue, properties(1));

        assertThat(services).containsOnlyKeys("host1/pf1/vf1");
    }

    @Test
    void shouldUnregisterTheOthersWhenOneDriverDoesNotLeaveInOrder() {
        provider.addAdminQueue(queue, properties(3));
        Map<String, Object> other = properties(2);
        other.put(Constants.SERVICE_ID, 41L);
        other.put(AdminQueue.OWNER_ID, "host1/pf1");
        provider.addAdminQueue(new FakeAdminQueue(), other);
        int[] left = {0};
        onUnregister = () -> {
            if (++left[0] == 1) {
                throw new IllegalStateException("told to fail");
            }
        };

        provider.deactivate();

        assertThat(left[0]).isEqualTo(5);
        assertThat(services).hasSize(1);
    }

    @Test
    void shouldNotKeepTheClassLoaderOfWhoAnnouncesAnOwner() throws Exception {
        AtomicReference<ClassLoader> seen = new AtomicReference<>();
        queue.before(FakeAdminQueue.LIST_QUERY,
                () -> seen.set(Thread.currentThread().getContextClassLoader()));
        Thread thread = Thread.currentThread();
        ClassLoader before = thread.getContextClassLoader();
        try (URLClassLoader announcing = new URLClassLoader(new URL[0], before)) {
            thread.setContextClassLoader(announcing);
            provider.addAdminQueue(queue, properties(1));
        } finally {
            thread.setContextClassLoader(before);
        }

        assertThat(seen.get()).isSameAs(VirtioNetProvider.class.getClassLoader());
    }

    @Test
    void shouldNotHoldUpWhoAnnouncesAnOwnerThatDoesNotAnswerAndRegisterLater() throws Exception {
        CompletableFuture<Integer> answer = new CompletableFuture<>();
        CountDownLatch registered = new CountDownLatch(1);
        VirtioNetProvider slow = new VirtioNetProvider(new PlainFormat(), (driver, properties) -> {
            registered.countDown();
            return () -> {};
        });
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

    @Test
    void shouldUndoARegistrationThatMakesTheOwnerLeave() {
        VirtioNetProvider[] reentrant = new VirtioNetProvider[1];
        reentrant[0] = new VirtioNetProvider(new PlainFormat(), (driver, properties) -> {
            String id = (String) properties.get("ferry.device.id");
            services.put(id, properties);
            reentrant[0].removeAdminQueue(queue, properties(0));
            return () -> services.remove(id);
        });

        reentrant[0].addAdminQueue(queue, properties(3));

        assertThat(services).isEmpty();
        reentrant[0].deactivate();
    }

    @Test
    void shouldIgnoreAnOwnerWithoutAName() {
        Map<String, Object> properties = properties(1);
        properties.remove(AdminQueue.OWNER_ID);

        provider.addAdminQueue(queue, properties);
        provider.updatedAdminQueue(queue, properties);
        provider.removeAdminQueue(queue, properties);

        assertThat(queue.commands).isEmpty();
        assertThat(log.list).singleElement().satisfies(event ->
                assertThat(event.getLevel()).isEqualTo(Level.WARN));
    }
}
