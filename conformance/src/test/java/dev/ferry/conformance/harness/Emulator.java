// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.harness;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.extension.AfterEachCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * The emulator bundle in a framework, which all tests share; adapters are made by configuration and deleted behind the
 * test that made them.
 */
public final class Emulator implements BeforeEachCallback, AfterEachCallback {

    private static final String ADAPTER_PID = "dev.ferry.emulator.adapter";
    private static final SharedFramework SHARED =
            new SharedFramework("dev.ferry.emulator.internal.EmulatedAdapterComponent");

    private final List<Adapter> adapters = new ArrayList<>();
    private Framework framework;

    @Override
    public void beforeEach(ExtensionContext context) {
        framework = SHARED.framework(context);
    }

    @Override
    public void afterEach(ExtensionContext context) throws IOException {
        for (Adapter adapter : adapters) {
            adapter.delete();
        }
        adapters.clear();
    }

    /** A new adapter in the state after reset, as it is by default: serves Linux. */
    public Adapter adapter(int members) {
        return adapter(Map.of("members", members));
    }

    /** A new adapter in the state after reset that holds drivers to the text. */
    public Adapter strict(int members) {
        return adapter(Map.of("members", members, "strict", true));
    }

    /** A new adapter in the state after reset, configured so. */
    public Adapter adapter(Map<String, Object> settings) {
        String host = "host" + adapters.size();
        Map<String, Object> values = new HashMap<>(settings);
        values.put("host", host);
        values.put("name", "pf0");
        Adapter adapter = new Adapter(framework, host + "/pf0", framework.configure(ADAPTER_PID, values), values);
        adapters.add(adapter);
        return adapter;
    }
}
