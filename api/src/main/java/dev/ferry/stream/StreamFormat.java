// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream;

import org.osgi.annotation.versioning.ConsumerType;

/**
 * How the state of a device lies in a stream of bytes. One service per format and version, under this name and that of
 * {@link StreamReader}: drivers frame their sessions with it, tools read saved streams with it. Ferry's drivers of
 * virtio members take the format named {@code virtiovf}, and no other.
 *
 * <p>Thread-safe; the encoders and decoders it makes belong to one session and one caller at a time, and stay usable
 * until that session ends even if the service goes away meanwhile.
 */
@ConsumerType
public interface StreamFormat extends StreamReader {

    /** Makes the saving side of one session. */
    RecordEncoder encoder(RecordDevice device);

    /** Makes the loading side of one session. */
    RecordDecoder decoder(RecordDevice device);
}
