// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.member;

import dev.ferry.device.DirtyTracker;
import dev.ferry.emulator.internal.legacy.LegacyInterface;
import dev.ferry.virtio.AdminResult;
import dev.ferry.virtio.DevicePart;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.util.List;
import java.util.Optional;

/**
 * A member device as its owner device handles it, on behalf of admin commands. Thread-safe.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Device parts"</a>
 */
public interface MemberDevice {

    /**
     * Enters or leaves the stopped mode. When it has entered it, outstanding DMA and interrupts have finished and
     * nothing new begins. When it leaves it, it works on each queue once.
     *
     * @return false when the device could not stop in time; it goes on in the mode it was in
     */
    boolean setStopped(boolean stopped);

    /** Whether the device is in the stopped mode. */
    boolean isStopped();

    /** The headers of all parts there are now, in table order. */
    List<DevicePart> partHeaders();

    /** The most bytes that all parts can take, headers included. */
    int maxPartsSize();

    /**
     * Writes parts, whole and in table order; a consistent image of one moment.
     *
     * @param selected the wanted parts by type and selector, or null for all; those that do not exist are left out
     * @param into its position is moved behind the parts
     * @return false when the space is too small; nothing was written
     */
    boolean captureParts(List<DevicePart> selected, ByteBuffer into);

    /**
     * Takes parts, all or nothing.
     *
     * @param parts not changed
     * @return OK, or why nothing was taken
     */
    AdminResult loadParts(ByteBuffer parts);

    /** The same device as the command set of the device context handles it. */
    default ContextDevice context() {
        throw new UnsupportedOperationException("this member has no device context");
    }

    /** The legacy interface of the device; empty when it has none. */
    default Optional<LegacyInterface> legacy() {
        return Optional.empty();
    }

    /** What the host's IOMMU tells of the device's writes; survives every reset of the member. */
    default DirtyTracker dirtyTracker() {
        throw new UnsupportedOperationException("nothing tells what this member writes");
    }

    /** Function-level reset, with PCI configuration and MSI-X saved before and restored after. */
    void resetFunction();

    /**
     * The device is pulled out: DMA ends, registers read as all ones. For good. Does not wait for an interrupt that is
     * on its way.
     */
    void pullOut();

    /**
     * Waits until no interrupt of the device is on its way.
     *
     * @param limit how long at most; zero only looks
     * @return whether that came about in time
     */
    boolean awaitSenders(Duration limit);
}
