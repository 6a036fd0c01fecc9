// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import java.io.IOException;
import java.nio.ByteBuffer;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * The guest that uses a device, at one end of a migration; a management server implements it for its hypervisor. The
 * source's guest runs when a migration starts; the destination's is an empty shell that was never resumed. Whatever a
 * call throws is told as {@link FailureCode#GUEST_FAILED}. Up to the end of COMMIT the way back follows: also a guest
 * whose {@link #pause} threw counts as paused, and is resumed. One whose {@link #resume} threw counts as paused too,
 * and is left to whoever reads the report.
 *
 * <p>Called on threads of the migration, one call at a time; {@link #memory} alone may come on any thread at any time.
 * Each call must return within seconds.
 */
@ConsumerType
public interface Guest {

    /**
     * Stops the guest's processors; when it returns no further instruction is executed. Does nothing when paused.
     */
    void pause() throws IOException;

    /**
     * Lets the guest's processors run, at the source after a failed migration, at the destination after a committed
     * one. Does nothing when running.
     */
    void resume() throws IOException;

    /** The guest's memory at this end. Does not block. */
    GuestMemory memory();

    /**
     * What the hypervisor itself holds of a passed-through device, its PCI configuration space and MSI-X table above
     * all; called at the source while the guest is paused. (QEMU calls this the device config state.)
     *
     * @param deviceId of the source device
     * @return at most 64 KiB, from position to limit
     */
    ByteBuffer saveDeviceConfig(String deviceId) throws IOException;

    /**
     * Takes what {@link #saveDeviceConfig} gave at the other end; called at the destination before its device leaves
     * RESUMING.
     *
     * @param deviceId of the destination device
     */
    void loadDeviceConfig(String deviceId, ByteBuffer config) throws IOException;
}
