// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import ch.qos.logback.classic.Logger;
import ch.qos.logback.classic.spi.ILoggingEvent;
import ch.qos.logback.core.read.ListAppender;
import dev.ferry.device.MigrationDriver;
import dev.ferry.virtio.AdminQueue;
import dev.ferry.virtio.driver.MemberDriver;
import dev.ferry.virtio.driver.OwnerWatch;
import dev.ferry.virtio.driver.fake.FakeAdminQueue;
import dev.ferry.virtio.driver.fake.PlainFormat;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.framework.Constants;
import org.slf4j.LoggerFactory;

/** The provider before a fake queue, and what it registers and logs. */
final class ProviderFixture implements AutoCloseable {

    /** A stalled build must not have a test go on before a set-up is done. */
    static final long SETUP_WAIT_MILLIS = 60_000;

    final FakeAdminQueue queue = new FakeAdminQueue();
    final VirtioNetProvider provider =
            new VirtioNetProvider(new PlainFormat(), this::register, SETUP_WAIT_MILLIS);

    /** The properties of all that is registered, and the drivers that can migrate, by device. */
    final Map<String, Map<String, Object>> services = new ConcurrentHashMap<>();
    final Map<String, MemberDriver> drivers = new ConcurrentHashMap<>();

    final ListAppender<ILoggingEvent> log = new ListAppender<>();
    Runnable onUnregister = () -> {};

    private final Logger logger = (Logger) LoggerFactory.getLogger(OwnerWatch.class);

    ProviderFixture() {
        log.start();
        logger.addAppender(log);
    }

    private Runnable register(MigrationDriver driver, Map<String, Object> properties) {
        String id = (String) properties.get("ferry.device.id");
        services.put(id, properties);
        if (driver instanceof MemberDriver migratable) {
            drivers.put(id, migratable);
        }
        return () -> {
            onUnregister.run();
            services.remove(id);
        };
    }

    /** Of host1/pf0. */
    static Map<String, Object> properties(int members) {
        Map<String, Object> properties = new HashMap<>();
        properties.put(Constants.SERVICE_ID, 40L);
        properties.put(AdminQueue.OWNER_ID, "host1/pf0");
        properties.put(AdminQueue.HOST, "host1");
        properties.put(AdminQueue.MEMBERS, members);
        properties.put(AdminQueue.MEMBER_TYPE, "virtio-net");
        return properties;
    }

    @Override
    public void close() {
        provider.deactivate();
        logger.detachAppender(log);
    }
}
