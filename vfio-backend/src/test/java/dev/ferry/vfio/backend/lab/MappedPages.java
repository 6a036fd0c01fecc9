// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.lab;

import java.nio.ByteBuffer;

/** Memory that a device can be let reach. */
final class MappedPages {
    private static final int PAGE = 4096;

    /** So many pages, zeroed. */
    static ByteBuffer of(int count) {
        return ByteBuffer.allocateDirect((count + 1) * PAGE).alignedSlice(PAGE).limit(count * PAGE);
    }

    private MappedPages() {}
}
