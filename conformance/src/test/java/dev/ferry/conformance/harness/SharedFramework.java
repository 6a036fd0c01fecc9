// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.harness;

import java.io.IOException;
import java.util.List;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;

/** A framework that all tests with the same bundles share; an extension takes it before each test. */
public final class SharedFramework {

    private static final Namespace NAMESPACE = Namespace.create(SharedFramework.class);

    private final List<String> bundles;

    /** @param classes one of each bundle to deploy */
    public SharedFramework(String... classes) {
        bundles = List.of(classes);
    }

    /** Stopped by JUnit when everything has run. */
    private record Started(Framework framework) implements AutoCloseable {
        @Override
        public void close() throws IOException {
            framework.close();
        }
    }

    /** The framework, started by the first who asks. */
    public Framework framework(ExtensionContext context) {
        return context.getRoot()
                .getStore(NAMESPACE)
                .getOrComputeIfAbsent(bundles, key -> new Started(new Framework(key)), Started.class)
                .framework();
    }
}
