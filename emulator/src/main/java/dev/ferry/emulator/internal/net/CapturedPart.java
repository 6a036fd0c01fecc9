// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.virtio.DevicePart;
import java.nio.ByteBuffer;

/**
 * One device part as the device gives it.
 *
 * @param header of the part
 * @param value as many bytes as the header says; shared
 */
record CapturedPart(DevicePart header, byte[] value) {

    /** Bytes with header. */
    int size() {
        return DevicePart.HEADER_BYTES + value.length;
    }

    /** Writes header and value at the position of a buffer and moves it on. */
    void encode(ByteBuffer into) {
        header.encode(into);
        into.put(value);
    }

    /** What requests name it by. */
    Name name() {
        return Name.of(header);
    }

    /**
     * What a part is found by.
     *
     * @param type of the part
     * @param selector of the part
     */
    record Name(int type, long selector) {
        static Name of(DevicePart header) {
            return new Name(header.type(), header.selector());
        }
    }
}
