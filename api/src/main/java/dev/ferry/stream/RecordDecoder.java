// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream;

import dev.ferry.device.DeviceException;
import java.nio.ByteBuffer;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Collects complete records from a stream in any segmentation and loads each into one device, within one resuming
 * session; used by that session alone.
 */
@ConsumerType
public interface RecordDecoder {

    /**
     * Takes all bytes of a buffer; a record is loaded by the call that brings its last byte.
     *
     * @throws StreamException where the stream is malformed; offsets count from the first byte of the session
     * @throws DeviceException EOPNOTSUPP for an unknown mandatory tag, ENOMEM for a record beyond the accepted size,
     *     others as the device gives them. After any exception the decoder has failed for good: further calls fail with
     *     ENODEV
     */
    void write(ByteBuffer from) throws DeviceException;

    /**
     * Checks that the stream may end here: nothing failed, no record is incomplete, and the device got an image.
     *
     * @throws StreamException with the offset and what is missing
     */
    void requireComplete() throws DeviceException;
}
