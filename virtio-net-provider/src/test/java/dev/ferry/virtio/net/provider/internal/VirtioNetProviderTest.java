// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import static dev.ferry.virtio.net.provider.internal.ProviderFixture.properties;
import static org.assertj.core.api.Assertions.assertThat;

import ch.qos.logback.classic.Level;
import ch.qos.logback.classic.spi.ILoggingEvent;
import dev.ferry.device.DeviceException;
import dev.ferry.fsm.Arc;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.driver.MemberDriver;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import dev.ferry.virtio.driver.fake.PlainFormat;
import java.net.URL;
import java.net.URLClassLoader;
import java.util.Map;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;
import org.osgi.framework.Constants;

/** Owners and their members come and go. */
class VirtioNetProviderTest {

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
        fixture.onUnregister = () -> {
            try {
                driver.step(Arc.PRE_COPY_TO_RUNNING);
            } catch (DeviceException e) {
                throw new AssertionError(e);
            }
        };

        provider.deactivate();

        assertThat(services).isEmpty();
        assertThat(queue.objects).isEmpty();
        assertThat(fixture.log.list).noneMatch(event -> event.getLevel() == Level.ERROR);
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
        fixture.onUnregister = () -> {
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
    void shouldUndoARegistrationThatMakesTheOwnerLeave() {
        VirtioNetProvider[] reentrant = new VirtioNetProvider[1];
        reentrant[0] = new VirtioNetProvider(new PlainFormat(), (driver, properties) -> {
            String id = (String) properties.get("ferry.device.id");
            services.put(id, properties);
            reentrant[0].removeAdminQueue(queue, properties(0));
            return () -> services.remove(id);
        }, ProviderFixture.SETUP_WAIT_MILLIS);

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
        assertThat(fixture.log.list).singleElement().satisfies(event ->
                assertThat(event.getLevel()).isEqualTo(Level.WARN));
    }

    @ParameterizedTest
    @ValueSource(strings = {"ferry.owner.id", "ferry.host", "ferry.owner.member.type"})
    void shouldSayWhichServiceItIgnoresAndWhy(String missing) {
        Map<String, Object> properties = properties(2);
        properties.put(Constants.SERVICE_BUNDLEID, 12L);
        properties.remove(missing);

        provider.addAdminQueue(queue, properties);

        assertThat(queue.commands).isEmpty();
        assertThat(services).isEmpty();
        assertThat(fixture.log.list)
                .filteredOn(event -> event.getLevel() == Level.WARN)
                .extracting(ILoggingEvent::getFormattedMessage)
                .containsExactly("the admin queue service 40 of bundle 12 is ignored: it needs the property " + missing
                        + ", a String");
    }

    @ParameterizedTest
    @ValueSource(strings = {"ferry.owner.id", "ferry.host", "ferry.owner.member.type"})
    void shouldTakeAnOwnerWhosePropertiesComeLate(String late) {
        Map<String, Object> properties = properties(2);
        properties.remove(late);
        provider.addAdminQueue(queue, properties);

        provider.updatedAdminQueue(queue, properties(2));

        assertThat(services).containsOnlyKeys("host1/pf0/vf1", "host1/pf0/vf2");
        provider.removeAdminQueue(queue, properties(2));
        assertThat(services).isEmpty();
    }

    @Test
    void shouldNotTakeAnOwnerThatHasLeftWhenItsPropertiesCome() {
        Map<String, Object> properties = properties(2);
        properties.remove(AdminQueue.OWNER_ID);
        provider.addAdminQueue(queue, properties);
        provider.removeAdminQueue(queue, properties);

        provider.updatedAdminQueue(queue, properties(2));

        assertThat(services).isEmpty();
    }

    @Test
    void shouldLeaveMembersOfAnotherTypeToOthers() {
        Map<String, Object> properties = properties(2);
        properties.put("ferry.owner.member.type", "virtio-blk");

        provider.addAdminQueue(queue, properties);
        provider.updatedAdminQueue(queue, properties);
        provider.removeAdminQueue(queue, properties);

        assertThat(queue.commands).isEmpty();
        assertThat(services).isEmpty();
        assertThat(fixture.log.list)
                .extracting(ILoggingEvent::getFormattedMessage)
                .containsExactly("host1/pf0 is left alone: its members are virtio-blk, not virtio-net");
    }
}
