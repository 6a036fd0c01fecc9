// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Dictionary;
import java.util.Hashtable;
import java.util.Map;
import org.osgi.framework.BundleContext;
import org.osgi.service.cm.Configuration;
import org.osgi.service.cm.ConfigurationAdmin;

/**
 * The socket at which the bundle for VFIO devices listens when it is configured to: it is made by native code, on a
 * thread of the bundle's own. Knows no type of Ferry's.
 */
public final class HandoverSocket implements AutoCloseable {
    private static final String PID = "dev.ferry.vfio.backend";
    private static final String ANY_BUNDLE = "?";

    private final BundleContext context;
    private final Configuration configuration;
    private final Path folder;
    private final Path socket;

    /** Configures it. */
    public HandoverSocket(BundleContext context) throws IOException {
        this.context = context;
        folder = Files.createTempDirectory("ferry");
        socket = folder.resolve("handover.sock");
        ConfigurationAdmin admin = context.getService(context.getServiceReference(ConfigurationAdmin.class));
        configuration = admin.getConfiguration(PID, ANY_BUNDLE);
        Dictionary<String, Object> properties = new Hashtable<>(Map.of("handover.socket", socket.toString()));
        configuration.update(properties);
    }

    /** Waits until the bundle listens. */
    public void awaitListening(String when) throws Exception {
        Await.until(context, when + ": the handover listens", () -> Files.exists(socket));
    }

    /** Whether the bundle has left the socket behind. */
    public boolean isThere() {
        return Files.exists(socket);
    }

    @Override
    public void close() throws IOException {
        configuration.delete();
        Files.delete(folder);
    }
}
