// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.legacy;

/**
 * Which bytes of an area an admin command wants to read or write.
 *
 * <p>The text gives the length of the access by the length of the buffer, and also demands of drivers to give buffers
 * in multiples of eight bytes. So a buffer that is one may have padding behind the field; one that is not says exactly
 * what it means, as Linux does.
 *
 * @param offset of the first byte in the area, unsigned 8 bits
 * @param length bytes that the buffer has for it, 0 or more
 * @param padded whether the end of the buffer may be padding
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Legacy Common
 *     Configuration Write Command"</a>
 */
public record FieldAccess(int offset, long length, boolean padded) {

    /**
     * How many bytes the access has, of a field.
     *
     * @param left bytes from its offset to the end of the field
     * @return 0 when it is no access, or goes beyond the field
     */
    int within(int left) {
        if (length <= left) {
            return (int) length;
        }
        return padded ? left : 0;
    }
}
