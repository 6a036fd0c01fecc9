// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.vfio.backend.internal.device.VfioDevice;
import java.util.Optional;
import java.util.function.Supplier;

/**
 * An open device and the way it was opened.
 *
 * @param device to be driven
 * @param space the addresses that it reaches; empty when it was handed over without
 * @param way how it was opened and why so, for people
 * @param rest closes whatever was opened beside the device
 */
public record OpenDevice(VfioDevice device, Optional<IommuSpace> space, String way, Runnable rest)
        implements AutoCloseable {

    /** Gives each user an own memory to map, and to close; empty for a device that was handed over. */
    public Optional<Supplier<UserMemory>> memory() {
        return space.flatMap(IommuSpace::own).map(own -> () -> new UserMemory(own, device.name()));
    }

    @Override
    public void close() {
        try {
            device.close();
        } finally {
            rest.run();
        }
    }
}
