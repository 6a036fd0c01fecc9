// SPDX-License-Identifier: Apache-2.0
package dev.ferry.device;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.WritableByteChannel;
import org.osgi.annotation.versioning.ConsumerType;

/** Writes a saved state into a device; open in RESUMING. */
@ConsumerType
public non-sealed interface ResumingSession extends DataTransferSession, WritableByteChannel {

    /**
     * Takes bytes of a saved state. Data may reach the device during this call or at the end of RESUMING.
     *
     * @param from read up to its limit unless an exception is thrown
     * @return the number of bytes taken: all of them
     * @throws DeviceException EINVAL or {@link dev.ferry.stream.StreamException} for bytes that are no state of such a
     *     device; EOPNOTSUPP for a mandatory record that is not known; ENOMEM for a record beyond the accepted size;
     *     ENODEV when the session is dead; ETIMEDOUT when the device did not answer, and then it may still read from
     *     the buffer at any time: the caller must not write to it again. After any exception the session takes nothing
     *     more and RESUMING can only be left by {@link MigrationDriver#reset}
     */
    @Override
    int write(ByteBuffer from) throws IOException;
}
