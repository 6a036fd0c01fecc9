// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal;

import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import org.osgi.service.component.annotations.Activate;
import org.osgi.service.component.annotations.Component;

/** The owner ids that are taken, shared by all adapters of this bundle. Thread-safe. */
@Component(service = OwnerIds.class)
public final class OwnerIds {

    private final Set<String> taken = ConcurrentHashMap.newKeySet();

    /** No id is taken. */
    @Activate
    public OwnerIds() {}

    /** Takes an id; false when somebody has it. */
    boolean take(String ownerId) {
        return taken.add(ownerId);
    }

    /** Gives an id back. */
    void release(String ownerId) {
        taken.remove(ownerId);
    }
}
