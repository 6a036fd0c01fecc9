// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.ReadableByteChannel;
import org.osgi.annotation.versioning.ConsumerType;

/**
 * Names what is in saved streams of one form, for tools that have no device. One service per form and version: a {@link
 * StreamFormat} registers under this name, too; for a form that a driver frames itself it is a service of its own.
 * Thread-safe.
 */
@ConsumerType
public interface StreamReader {

    /** Service property, String, mandatory: the name, for example {@code virtiovf}. */
    String NAME = "ferry.stream.name";

    /** Service property, Integer, mandatory: version of the format, 1 or more. */
    String VERSION = "ferry.stream.version";

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
