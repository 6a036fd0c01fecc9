// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.List;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * The memory of one guest, as the hypervisor of one host holds it; addresses are guest-physical, which are also the
 * IOVAs its devices use. A management server implements it for its hypervisor.
 *
 * <p>Called on the thread of the migration, one call at a time.
 */
@ConsumerType
public interface GuestMemory {

    /**
     * The ranges that hold memory, ascending and without overlap; the same at both ends of a migration.
     */
    List<Range> ranges();

    /**
     * Reads until the buffer is full.
     *
     * @throws IOException when the range is not memory of the guest
     */
    void read(long address, ByteBuffer into) throws IOException;

    /**
     * Writes what the buffer holds.
     *
     * @throws IOException when the range is not memory of the guest; nothing was written
     */
    void write(long address, ByteBuffer from) throws IOException;

    /**
     * One range of memory.
     *
     * @param address of its first byte, 0 or more
     * @param length in bytes, 1 or more
     */
    record Range(long address, long length) {
        /** Refuses ranges that are empty, negative or wrap around. */
        public Range {
            if (address < 0 || length < 1 || address + length < 0) {
                throw new IllegalArgumentException("not a range of memory: " + address + " + " + length);
            }
        }
    }
}
