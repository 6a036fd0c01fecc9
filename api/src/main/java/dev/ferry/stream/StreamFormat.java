// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * How the state of a device lies in a stream of bytes. One service per format and version; drivers frame their sessions
 * with it, tools read saved streams with it.
 *
 * <p>Thread-safe; the encoders and decoders it makes belong to one session and one caller at a time, and stay usable
 * until that session ends even if the service goes away meanwhile.
 */
@ConsumerType
public interface StreamFormat {

    /** Service property, String, mandatory: the name, for example {@code virtiovf}. */
    String NAME = "ferry.stream.name";

    /** Service property, Integer, mandatory: version of the format, 1 or more. */
    String VERSION = "ferry.stream.version";

    /** Makes the saving side of one session. */
    RecordEncoder encoder(RecordDevice device);

    /** Makes the loading side of one session. */
    RecordDecoder decoder(RecordDevice device);

    /**
     * Whether a stream that begins with these bytes can be of this format; a guess from as many bytes as are there.
     *
     * @param head the first bytes, from position to limit, possibly none; not changed
     */
    boolean recognizes(ByteBuffer head);

    /**
     * Reads a whole stream and names what is in it; memory used is bounded by the largest record accepted.
     *
     * @param from read to its end, or to the first fault; not closed
     * @return what was found, with the fault where there is one
     * @throws IOException only when {@code from} cannot be read
     */
    StreamInspection inspect(ReadableByteChannel from) throws IOException;
}
