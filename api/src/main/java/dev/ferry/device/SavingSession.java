// SPDX-License-Identifier: Apache-2.0
package dev.ferry.device;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import org.osgi.annotation.versioning.ConsumerType;

/** Reads the state of a device; open in PRE_COPY, PRE_COPY_P2P and STOP_COPY. */
@ConsumerType
public non-sealed interface SavingSession extends DataTransferSession, ReadableByteChannel {

    /**
     * Reads bytes of the device's state; does not wait for more.
     *
     * @param into where to put them; a direct buffer saves a copy with some drivers
     * @return the number of bytes, 1 or more; 0 for <i>no data for now</i> (the kernel's {@code -ENOMSG}; only in
     *     PRE_COPY and PRE_COPY_P2P, or when {@code into} has no space); -1 for <i>end of stream</i> (only in
     *     STOP_COPY: the whole state was read)
     * @throws DeviceException ENODEV when the session is dead; other errnos as the device gives them, after which the
     *     session is of no further use
     */
    @Override
    int read(ByteBuffer into) throws IOException;

    /**
     * How much there is to read while the device runs.
     *
     * @throws DeviceException EINVAL outside PRE_COPY and PRE_COPY_P2P; ENODEV when the session is dead
     */
    PrecopyInfo precopyInfo() throws DeviceException;

    /**
     * Whether {@link #precopyInfo} tells of a re-initialisation ({@link PrecopyInfo#reinitialized}); the same answer
     * for the life of the session. Such a device is asked, and read, once more at the end of every round, and asked
     * again when its guest is paused, before it is stopped: new initial data would otherwise be loaded during the
     * downtime. Others are not, as that can make them capture their state.
     */
    default boolean announcesReinitialization() {
        return false;
    }
}
