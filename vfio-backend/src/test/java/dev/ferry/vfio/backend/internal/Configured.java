// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal;

import java.lang.reflect.Proxy;
import java.util.Map;

/** Configurations for tests: what is given, and the defaults. */
final class Configured {

    static BackendConfiguration with(Map<String, ?> values) {
        return (BackendConfiguration) Proxy.newProxyInstance(
                Configured.class.getClassLoader(),
                new Class<?>[] {BackendConfiguration.class},
                (proxy, method, arguments) -> {
                    Object value = values.get(method.getName());
                    return value == null ? method.getDefaultValue() : value;
                });
    }

    private Configured() {}
}
