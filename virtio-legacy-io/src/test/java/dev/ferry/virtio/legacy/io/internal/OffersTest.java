// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.legacy.io.internal;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.legacy.LegacyIo;
import dev.ferry.virtio.driver.command.CommandTimeout;
import java.util.ArrayDeque;
import java.util.Map;
import java.util.Queue;
import java.util.TreeMap;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/** Owners and drivers come and go in any order. */
class OffersTest {

    private final FakeOwner device = new FakeOwner();
    private final CommandTimeout timeout = new CommandTimeout("test");
    private final Owner owner = owner("host1/pf0");
    private final Map<String, LegacyIo> services = new TreeMap<>();
    private final Queue<Runnable> tasks = new ArrayDeque<>();
    private final Member third = new Member("host1/pf0", 3, "host1/pf0/vf3", "host1");
    private Runnable whenRegistered = () -> {};
    private final Offers offers = new Offers(this::register, tasks::add, timeout);

    private Owner owner(String id) {
        return new Owner(id, new OwnerCommands(id, device, timeout), device);
    }

    private Runnable register(LegacyIo io, Map<String, Object> properties) {
        String id = (String) properties.get("ferry.device.id");
        assertThat(properties).isEqualTo(Map.of(
                "ferry.device.id", id, "ferry.host", "host1", "ferry.owner.id", "host1/pf0", "ferry.owner.member", 3));
        assertThat(services.put(id, io)).isNull();
        whenRegistered.run();
        return () -> services.remove(id);
    }

    private void runTasks() {
        while (!tasks.isEmpty()) {
            tasks.remove().run();
        }
    }

    @BeforeEach
    void shortWaits() {
        timeout.configure(() -> 50);
    }

    @Test
    void shouldOfferAMemberThatHasOwnerAndDriver() {
        offers.add(owner);
        runTasks();
        assertThat(device.commands).as("nothing is sent before a driver is there").isEmpty();
        offers.addDriver(1L, third);
        assertThat(services).isEmpty();
        runTasks();
        assertThat(services).containsOnlyKeys("host1/pf0/vf3");
        offers.removeDriver(1L, third);
        assertThat(services).isEmpty();
        offers.addDriver(2L, third);
        runTasks();
        assertThat(services).hasSize(1);
        offers.remove(owner);
        assertThat(services).isEmpty();
    }

    @Test
    void shouldOfferWhenTheOwnerComesLast() {
        offers.addDriver(1L, third);
        offers.addDriver(5L, new Member("host9/pf0", 3, "host9/pf0/vf3", "host9"));
        assertThat(tasks).isEmpty();
        offers.add(owner);
        runTasks();
        assertThat(services).containsOnlyKeys("host1/pf0/vf3");
    }

    @Test
    void shouldRefuseAccessesAfterTheDriverLeft() {
        offers.add(owner);
        offers.addDriver(1L, third);
        runTasks();
        LegacyIo io = services.get("host1/pf0/vf3");
        offers.removeDriver(1L, third);
        device.commands.clear();
        assertThat(org.assertj.core.api.Assertions.catchThrowable(() -> io.readConfig(0, 4)))
                .hasMessageContaining("host1/pf0/vf3");
        assertThat(device.commands).isEmpty();
    }

    @Test
    void shouldNotOfferWhatLeftBeforeItWasOpen() {
        offers.add(owner);
        offers.addDriver(1L, third);
        offers.removeDriver(1L, third);
        runTasks();
        assertThat(services).isEmpty();
        assertThat(device.commands).as("a closed member sends nothing").isEmpty();
    }

    @Test
    void shouldKeepTheServiceWhileOneOfTwoDriversIsThere() {
        offers.add(owner);
        offers.addDriver(1L, third);
        offers.addDriver(2L, third);
        runTasks();
        LegacyIo io = services.get("host1/pf0/vf3");
        offers.removeDriver(1L, third);
        assertThat(services).containsValue(io);
        offers.removeDriver(1L, third);
        assertThat(services).containsValue(io);
        offers.removeDriver(2L, third);
        assertThat(services).isEmpty();
    }

    @Test
    void shouldUseOneOfTwoQueuesOfAnOwner() {
        Owner other = owner("host1/pf0");
        offers.add(owner);
        offers.add(other);
        offers.addDriver(1L, third);
        runTasks();
        offers.remove(other);
        assertThat(services).hasSize(1);
        offers.remove(owner);
        assertThat(services).isEmpty();
    }

    @Test
    void shouldOfferNothingWhenTheOwnerLacksACommandOrDoesNotAnswer() {
        device.answer(0, FakeOwner.OK + "83ff030000000000");
        offers.add(owner);
        offers.addDriver(1L, third);
        runTasks();
        assertThat(services).isEmpty();
        offers.remove(owner);
        device.answers.put(0, java.util.concurrent.CompletableFuture::new);
        Owner again = owner("host1/pf0");
        offers.add(again);
        runTasks();
        assertThat(services).isEmpty();
    }

    @Test
    void shouldSurviveAnOwnerThatLeavesWhileItsServiceIsRegistered() {
        whenRegistered = () -> offers.remove(owner);
        offers.add(owner);
        offers.addDriver(1L, third);
        runTasks();
        assertThat(services).isEmpty();
    }

    @Test
    void shouldWithdrawEverythingWhenClosed() {
        offers.add(owner);
        offers.addDriver(1L, third);
        runTasks();
        offers.close();
        assertThat(services).isEmpty();
        offers.addDriver(2L, third);
        offers.add(owner);
        assertThat(tasks).isEmpty();
    }
}
