// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.access;

import dev.ferry.vfio.backend.internal.device.VfioDevice;
import java.util.Optional;

/**
 * An open device and the way it was opened.
 *
 * @param device to be driven
 * @param space what was handed over beside it; empty for a device that is opened here, for which nothing is mapped
 * @param way how it was opened and why so, for people
 * @param rest closes whatever was opened beside the device
 */
public record OpenDevice(VfioDevice device, Optional<IommuSpace> space, String way, Runnable rest)
        implements AutoCloseable {

    @Override
    public void close() {
        device.close();
        rest.run();
    }
}
