// SPDX-License-Identifier: Apache-2.0
package dev.ferry.app.internal;

import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;
import org.osgi.framework.BundleContext;
import org.osgi.framework.Constants;
import org.osgi.framework.InvalidSyntaxException;
import org.osgi.framework.ServiceReference;
import org.osgi.service.cm.ManagedService;
import org.osgi.service.cm.ManagedServiceFactory;
import org.osgi.service.component.runtime.ServiceComponentRuntime;

/**
 * The PIDs whose configurations somebody takes, as of now: components, and services that ConfigAdmin calls. Immutable.
 *
 * @param pids PIDs and factory PIDs
 */
record Takers(Set<String> pids) {

    /** Copies the set. */
    Takers {
        pids = Set.copyOf(pids);
    }

    /** Those of the bundles that are started. */
    static Takers of(BundleContext context, ServiceComponentRuntime components) {
        Set<String> pids = new HashSet<>();
        components.getComponentDescriptionDTOs()
                .forEach(description -> pids.addAll(List.of(description.configurationPid)));
        for (Class<?> type : List.of(ManagedService.class, ManagedServiceFactory.class)) {
            for (ServiceReference<?> reference : references(context, type)) {
                Optional.ofNullable(reference.getProperty(Constants.SERVICE_PID))
                        .ifPresent(pid -> pids.add(pid.toString()));
            }
        }
        return new Takers(pids);
    }

    /** Whether somebody takes configurations of this PID or factory PID. */
    boolean has(String pid) {
        return pids.contains(pid);
    }

    private static List<ServiceReference<?>> references(BundleContext context, Class<?> type) {
        try {
            ServiceReference<?>[] found = context.getAllServiceReferences(type.getName(), null);
            return found == null ? List.of() : List.of(found);
        } catch (InvalidSyntaxException e) {
            throw new IllegalStateException(e);
        }
    }
}
