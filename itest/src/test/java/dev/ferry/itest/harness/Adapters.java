// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Hashtable;
import java.util.List;
import java.util.Map;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/** The emulated adapters that a test configures. Knows no type of Ferry's. */
public final class Adapters implements AutoCloseable {
    private static final String FACTORY_PID = "dev.ferry.emulator.adapter";
    private static final String ANY_BUNDLE = "?";

    private static final String SERVICE = "dev.ferry.emulator.control.EmulatedAdapter";

    private final BundleContext context;
    private final ConfigurationAdmin admin;
    private final List<Configuration> created = new ArrayList<>();

    public Adapters(BundleContext context) {
        this.context = context;
        admin = context.getService(context.getServiceReference(ConfigurationAdmin.class));
    }

    /** Two hosts with one owner device each. */
    public Adapters twoHosts(int members) throws IOException {
        create("host1", "pf0", members);
        create("host2", "pf0", members);
        return this;
    }

    /** One adapter more. */
    public Configuration create(String host, String name, int members) throws IOException {
        return create(Map.of("host", host, "name", name, "members", members));
    }

    /** One adapter more, with any properties. */
    public Configuration create(Map<String, Object> properties) throws IOException {
        Configuration configuration = admin.createFactoryConfiguration(FACTORY_PID, ANY_BUNDLE);
        created.add(configuration);
        configuration.update(new Hashtable<>(properties));
        return configuration;
    }

    /** Changes one adapter. */
    public static void change(Configuration configuration, String key, Object value) throws IOException {
        var properties = configuration.getProperties();
        properties.put(key, value);
        configuration.update(properties);
    }

    /** Deletes one adapter. */
    public void delete(Configuration configuration) throws IOException {
        created.remove(configuration);
        configuration.delete();
    }

    /** Deletes what is left, and waits until it is gone: Configuration Admin tells of it on a thread of its own. */
    @Override
    public void close() throws IOException {
        for (Configuration configuration : created) {
            configuration.delete();
        }
        created.clear();
        try {
            Await.until(context, "no adapter", () -> context.getAllServiceReferences(SERVICE, null) == null);
        } catch (IOException | RuntimeException e) {
            throw e;
        } catch (Exception e) {
            throw new IllegalStateException("the adapters may still be there", e);
        }
    }
}
