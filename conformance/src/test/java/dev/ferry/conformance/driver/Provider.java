// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.driver;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.harness.Framework;
import dev.ferry.conformance.harness.SharedFramework;
import dev.ferry.device.MigrationDriver;
import dev.ferry.legacy.LegacyIo;
import dev.ferry.virtio.AdminQueue;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.osgi.framework.ServiceRegistration;

/**
 * The provider bundle and the one for legacy I/O in a framework, which all tests share; owner devices are services that
 * are registered by the test, and unregistered behind it.
 */
final class Provider implements BeforeEachCallback, AfterEachCallback {

    private static final SharedFramework SHARED = new SharedFramework(
            "dev.ferry.stream.virtiovf.internal.VirtiovfFormat",
            "dev.ferry.virtio.net.provider.internal.VirtioNetProvider",
            "dev.ferry.virtio.legacy.io.internal.LegacyIoProvider");

    /** No answer is meant to come too late, however a machine stalls; and it ends before a test's own patience. */
    private static final long USUAL_MILLIS = 20_000;

    private final List<Owner> owners = new ArrayList<>();
    private Framework framework;

    @Override
    public void beforeEach(ExtensionContext context) {
        framework = SHARED.framework(context);
        commandTimeout(USUAL_MILLIS);
    }

    @Override
    public void afterEach(ExtensionContext context) {
        leaveAll();
    }

    /** How long the provider waits for one command, in this test; holds soon. */
    void commandTimeout(long millis) {
        framework.configureComponent("dev.ferry.virtio.net.provider", Map.of("command.timeout.millis", millis));
    }

    /** Every owner leaves. */
    void leaveAll() {
        owners.forEach(Owner::leave);
        owners.clear();
    }

    /** Announces an owner device with so many members. */
    Owner announce(ScriptedQueue queue, int members) {
        Owner owner = new Owner("scripted" + owners.size() + "/pf0", queue, members);
        owners.add(owner);
        return owner;
    }

    /** Waits until as many drivers are there as the owner has members. */
    Owner announceReady(ScriptedQueue queue, int members) {
        Owner owner = announce(queue, members);
        Framework.Waiting.untilTrue(members + " drivers", () -> owner.drivers() == members);
        return owner;
    }

    /** An owner device that the provider knows. */
    final class Owner {

        private final String id;
        private final ScriptedQueue queue;
        private final ServiceRegistration<AdminQueue> registration;

        private Owner(String id, ScriptedQueue queue, int members) {
            this.id = id;
            this.queue = queue;
            this.registration = framework.register(AdminQueue.class, queue, properties(members));
        }

        private Map<String, Object> properties(int members) {
            return Map.of(
                    AdminQueue.OWNER_ID, id,
                    AdminQueue.HOST, "scripted",
                    AdminQueue.MEMBERS, members,
                    AdminQueue.MEMBER_TYPE, "virtio-net");
        }

        /** The number of VFs changes. */
        void members(int members) {
            registration.setProperties(Framework.dictionary(properties(members)));
        }

        /** Members that can be migrated, as far as the provider says. */
        int drivers() {
            String filter = "(&(ferry.owner.id=" + id + ")(!(ferry.not.migratable=*)))";
            return framework.services(MigrationDriver.class, filter).size();
        }

        /** Members that cannot be migrated, as the provider says; there are none before it has tried. */
        int refused() {
            String filter = "(&(ferry.owner.id=" + id + ")(ferry.not.migratable=*))";
            return framework.services(MigrationDriver.class, filter).size();
        }

        /** The driver of a member. */
        Machine driver(int member) {
            return new Machine(framework.await(
                    MigrationDriver.class, "(&(ferry.owner.id=" + id + ")(ferry.owner.member=" + member + "))"));
        }

        /** Moves member 1 to member 2, by both ways of saving, and leaves no object. */
        void migrate() throws IOException {
            driver(2).load(driver(1).save(false));
            driver(1).run();
            driver(2).load(driver(1).save(true));
            driver(1).run();
            assertThat(queue.device.objects()).isZero();
        }

        /** The legacy interface of the only member. */
        LegacyIo legacy() {
            return framework.await(LegacyIo.class, "(ferry.owner.id=" + id + ")");
        }

        /** Whether there is a legacy interface now. */
        boolean hasLegacy() {
            return !framework.services(LegacyIo.class, "(ferry.owner.id=" + id + ")").isEmpty();
        }

        /** Returns when the provider has done with the owner what it does on its own. */
        void awaitCommand(int opcode) {
            Framework.Waiting.until("opcode " + opcode, () -> Optional.of(queue.log(opcode)).filter(l -> !l.isEmpty()));
        }

        private void leave() {
            registration.unregister();
            queue.close();
        }
    }
}
