// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import dev.ferry.device.DirtyTracker;
import dev.ferry.device.IovaRange;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * The memory of one guest, as the hypervisor of one host holds it; addresses are guest-physical, which are also the
 * IOVAs its devices use. A management server implements it for its hypervisor.
 *
 * <p>Called on threads of the migration, one call at a time; {@link #ranges} and {@link #dirtyTracker} may come on any
 * thread at any time, as whoever plans a migration asks, too. While the guest runs its memory is read only when {@link
 * #dirtyTracker} gives a tracker; what the guest or a device writes meanwhile may be seen in part, and is read again.
 */
@ConsumerType
public interface GuestMemory {

    /**
     * The ranges that hold memory, ascending, without overlap and below 2^62; the same at both ends of a migration, and
     * for as long as it lasts. Does not block.
     */
    List<IovaRange> ranges();

    /**
     * Reads until the buffer is full.
     *
     * @throws IOException when the range is not memory of the guest
     */
    void read(long address, ByteBuffer into) throws IOException;

    /**
     * Writes what the buffer holds.
     *
     * @param from at most 16 MiB
     * @throws IOException when the range is not memory of the guest; nothing was written
     */
    void write(long address, ByteBuffer from) throws IOException;

    /**
     * The memory itself where this process has it mapped, so that a copy is saved.
     *
     * @param length at most 16 MiB
     * @return a view of exactly this part, from position to limit, used for reading until the next call; empty when the
     *     memory can only be {@linkplain #read read}
     * @throws IOException when the range is not memory of the guest
     */
    default Optional<ByteBuffer> view(long address, int length) throws IOException {
        return Optional.empty();
    }

    /**
     * The way to learn which pages the guest's processors write, at the source; the same answer for the life of the
     * memory. What devices write is told by their drivers. Does not block.
     *
     * @return empty when nothing can tell: all memory is then carried while the guest is paused
     */
    default Optional<DirtyTracker> dirtyTracker() {
        return Optional.empty();
    }
}
