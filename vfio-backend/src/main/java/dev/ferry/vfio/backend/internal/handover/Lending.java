// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.handover;

import dev.ferry.device.DeviceException;
import dev.ferry.vfio.backend.internal.access.OpenDevice;
import dev.ferry.vfio.backend.internal.sysfs.FoundDevice;
import java.util.Optional;

/** Serves devices that are handed over, and gives them back; called on the {@link HandoverServer}'s thread. */
public interface Lending {
    /** Takes over an open device, which is closed by it, also when it fails; gives the device's id. */
    String lend(FoundDevice device, OpenDevice open) throws DeviceException;

    /**
     * A device is handed over no longer. Does not wait until it is used no more, which what this gives tells, unless
     * the host allows no thread for that.
     */
    WayBack takeBack(String name);

    /** The same for a device of which nobody waits to hear. */
    void letGo(String name);

    /** One device that is on its way back to who handed it over; it arrives as soon as can be. Nothing here waits. */
    interface WayBack {
        /** What keeps it, as one sentence; empty when it has arrived, so that it is used no more. */
        Optional<String> obstacle();

        /** Whether who waits for it is to be told that it has not arrived. */
        boolean isLate();
    }
}
