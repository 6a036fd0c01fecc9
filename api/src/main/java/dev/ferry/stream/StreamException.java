// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream;

import dev.ferry.device.DeviceException;
import dev.ferry.device.Errno;

/** Bytes that do not follow their format, with the place where they stop doing so. */
public class StreamException extends DeviceException {
    private static final long serialVersionUID = 1L;

    private final long offset;

    /**
     * A fault in a stream.
     *
     * @param offset of the faulty field or byte, counted from the start of what was given to read, 0 or more
     * @param message one sentence that does not repeat the offset
     */
    public StreamException(long offset, Errno errno, String message) {
        this(offset, errno, message, null);
    }

    private StreamException(long offset, Errno errno, String message, Throwable cause) {
        super(errno, message, cause);
        this.offset = offset;
    }

    /** Offset of the faulty field or byte. */
    public long offset() {
        return offset;
    }

    /** The same fault, counted from a start that lies {@code base} bytes earlier. */
    public StreamException shifted(long base) {
        return new StreamException(base + offset, errno(), getMessage(), this);
    }
}
