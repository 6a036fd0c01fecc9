// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream;

import dev.ferry.device.DeviceException;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Understands the payload of the records of one tag. A vendor registers one service per tag, at any time; a {@link
 * StreamFormat} finds it by {@link #TAG}.
 *
 * <p>Tags 0 (DEVICE_DATA) and 1 (DEVICE_CONTEXT) belong to the format itself. Of two services with one tag the higher
 * ranking serves. Called on the thread of the session's caller, one call at a time per session, many sessions at once;
 * must return within seconds. {@link #describe} is called by whoever looks at a stream, without a session.
 */
@ConsumerType
public interface RecordType {

    /** Service property, Integer, mandatory: the tag, 2 or more (as unsigned 32 bits). */
    String TAG = "ferry.record.tag";

    /** The name of the tag for people, in the style of a constant: {@code VENDOR_COUNTERS}. */
    String name();

    /**
     * The flags that a saved record of this type carries: {@link RecordHeader#FLAG_OPTIONAL} or 0 when a receiver that
     * does not know the tag must refuse the whole stream.
     */
    int flags();

    /**
     * Gives what this type adds to the state of a device; called once for every whole image of the device, right after
     * the record of its image was made.
     *
     * @return the payload, from position to limit, not touched again by the type until the session ends; empty when
     *     this type has nothing for this device
     * @throws DeviceException ends the saving session
     */
    Optional<ByteBuffer> save(RecordDevice device) throws DeviceException;

    /**
     * Loads the payload of one complete record into a device. All or nothing: when it throws, the device is as before.
     *
     * @param payload from position to limit; valid and unchanged only during the call
     * @throws StreamException for a payload that is no such record; offsets count from the start of the payload
     * @throws DeviceException when the device refused; both end the resuming session
     */
    void load(ByteBuffer payload, RecordDevice device) throws DeviceException;

    /**
     * Names the parts of a payload without any device.
     *
     * @param payload from position to limit; valid and unchanged only during the call
     * @param found takes each part as it is found, so that a malformed payload still shows the parts before the fault;
     *     offsets count from the start of the payload
     * @throws StreamException where the payload is malformed
     */
    void describe(ByteBuffer payload, List<StreamInspection.Part> found) throws StreamException;
}
