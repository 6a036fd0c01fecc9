// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.virtio.AdminQueue;
import java.util.Comparator;
import java.util.List;
import java.util.Map;

/**
 * One owner device, as the properties of its service describe it.
 *
 * @param id unique name
 * @param host that it is in
 * @param members number of its members
 * @param queue executes its admin commands
 */
record OwnerDevice(String id, String host, int members, AdminQueue queue) {

    /** The owner devices of services with their properties, by id ascending. */
    static List<OwnerDevice> of(List<Map.Entry<Map<String, Object>, AdminQueue>> services) {
        return services.stream()
                .map(service -> of(service.getKey(), service.getValue()))
                .sorted(Comparator.comparing(OwnerDevice::id))
                .toList();
    }

    private static OwnerDevice of(Map<String, Object> properties, AdminQueue queue) {
        return new OwnerDevice(
                String.valueOf(properties.get(AdminQueue.OWNER_ID)),
                String.valueOf(properties.get(AdminQueue.HOST)),
                properties.get(AdminQueue.MEMBERS) instanceof Number number ? number.intValue() : 0,
                queue);
    }
}
