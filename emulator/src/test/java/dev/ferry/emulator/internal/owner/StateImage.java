// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import dev.ferry.emulator.control.PciFunction;
import dev.ferry.emulator.internal.member.MemberDevice;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;

/**
 * The whole state of an owner device and its members as one run of bytes, read past the admin commands: from the tables
 * of the owner device, from the registers of all functions, and from the members themselves.
 */
final class StateImage {

    /** With the SR-IOV capability. */
    private static final int OWNER_CONFIG_BYTES = 0x148;
    /** Up to the capabilities; the parts say the rest. */
    private static final int MEMBER_CONFIG_BYTES = 0x40;
    private static final int COMMON_BYTES = 64;
    private static final int VIRTIO_BAR = 2;
    private static final int DEVICE_OFFSET = 0x2000;

    private final OwnerDevice owner;
    private final ByteBuffer image = ByteBuffer.allocate(1 << 17).order(ByteOrder.LITTLE_ENDIAN);

    StateImage(OwnerDevice owner) {
        this.owner = owner;
    }

    byte[] take() {
        image.clear();
        image.put(owner.describe().getBytes(StandardCharsets.ISO_8859_1));
        image.putInt(owner.resourceObjects()).putInt(owner.members());
        registers(owner.ownerFunction(), OWNER_CONFIG_BYTES);
        for (int offset = 0; offset < COMMON_BYTES; offset += Short.BYTES) {
            image.putShort((short) owner.ownerFunction().readBar(VIRTIO_BAR, offset, Short.BYTES));
        }
        for (int member = 1; member <= owner.members(); member++) {
            PciFunction function = owner.function(member);
            registers(function, MEMBER_CONFIG_BYTES);
            MemberDevice device = (MemberDevice) function;
            image.put((byte) (device.isStopped() ? 1 : 0));
            device.captureParts(null, image);
        }
        return Arrays.copyOf(image.array(), image.position());
    }

    private void registers(PciFunction function, int configBytes) {
        for (int offset = 0; offset < configBytes; offset += Integer.BYTES) {
            image.putInt((int) function.readConfig(offset, Integer.BYTES));
        }
        image.put((byte) function.readBar(VIRTIO_BAR, 20, 1)).put((byte) function.readBar(VIRTIO_BAR, 21, 1));
        image.putLong(function.readBar(VIRTIO_BAR, DEVICE_OFFSET, Long.BYTES));
    }
}
