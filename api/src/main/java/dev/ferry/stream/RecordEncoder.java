// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream;

import dev.ferry.device.DeviceException;
import java.nio.ByteBuffer;
import org.osgi.annotation.versioning.ConsumerType;

/** Turns images of one device into a stream of records, within one saving session; used by that session alone. */
@ConsumerType
public interface RecordEncoder {

    /**
     * Captures one whole image of the device and queues it behind what was not read yet.
     *
     * @return the bytes queued, headers included
     * @throws DeviceException as the device gives them; the queue is as before
     */
    long capture() throws DeviceException;

    /**
     * Moves queued bytes into a buffer.
     *
     * @return the number of bytes moved; 0 when nothing is queued or the buffer has no space
     */
    int read(ByteBuffer into);

    /** Bytes queued and not read. */
    long queuedBytes();

    /** Bytes read since the encoder was made. */
    long readBytes();
}
