// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.traffic;

import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;

/** The frames of one run, in order. They are read one by one, so that there can be more than fit into memory. */
public interface Traffic {

    /** Number of frames, 1 or more. */
    long count();

    /** Whether times are counted in nanoseconds. */
    boolean nanoseconds();

    /** What it is, for a person; fits after "traffic:". */
    String description();

    /** Begins at the first frame. */
    Frames open() throws IOException;

    /** The frames, one after the other. Not thread-safe. */
    interface Frames extends Closeable {
        /** The next frame; empty after the last one. */
        Optional<Frame> next() throws IOException;
    }
}
