// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.virtqueue;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Memory of the device for what must be in one piece; taken when first needed. Guarded by the function's lock. */
public final class ScratchBuffer {

    private static final int STEP = 4096;

    private ByteBuffer memory = ByteBuffer.allocate(0);

    /** A little-endian buffer of a size, valid until the next call. The caller bounds the size. */
    ByteBuffer ofSize(int size) {
        if (memory.capacity() < size) {
            memory = ByteBuffer.allocate((size + STEP - 1) / STEP * STEP).order(ByteOrder.LITTLE_ENDIAN);
        }
        return memory.clear().limit(size);
    }

    /** Gives the memory back. */
    public void release() {
        memory = ByteBuffer.allocate(0);
    }
}
