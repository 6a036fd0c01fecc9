// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.internal.virtqueue.DescriptorChain;
import dev.ferry.emulator.internal.virtqueue.RingFault;
import dev.ferry.emulator.internal.virtqueue.ScratchBuffer;
import dev.ferry.emulator.internal.virtqueue.Virtqueue;
import dev.ferry.virtio.NetControl;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Optional;

/**
 * Performs the commands of the control virtqueue: class u8, command u8, data; then one byte of answer. Guarded by the
 * function's lock.
 */
final class ControlQueue {

    /** More than the largest command has, and few enough to gather. */
    private static final int MAX_COMMAND_BYTES = 8192;

    private final NetDevice device;
    private final ScratchBuffer scratch;
    private final DescriptorChain chain = new DescriptorChain();
    private final ByteBuffer ack = ByteBuffer.allocate(1);

    ControlQueue(NetDevice device, ScratchBuffer scratch) {
        this.device = device;
        this.scratch = scratch;
    }

    /**
     * Performs the next command of a ring and uses its buffer.
     *
     * @param ring within a section of work, with a chain available
     */
    void execute(Virtqueue ring, DmaSpace memory) {
        ring.read(0, chain);
        if (chain.writableBytes() == 0) {
            throw new RingFault("a control command has no room for its answer");
        }
        ack.put(0, (byte) (perform(memory) ? NetControl.ACK_OK : NetControl.ACK_ERR));
        chain.write(memory, 0, ack, 0, ack.capacity());
        ring.use(0, chain, ack.capacity());
        ring.publish(1);
    }

    private boolean perform(DmaSpace memory) {
        long length = chain.readableBytes();
        if (length < NetControl.HEADER_BYTES || length > MAX_COMMAND_BYTES) {
            return false;
        }
        // A copy: what is checked must be what is used, whatever the guest does to its memory meanwhile.
        ByteBuffer command = ByteBuffer.allocate((int) length)
                .put(chain.read(memory, 0, (int) length, scratch))
                .flip()
                .order(ByteOrder.LITTLE_ENDIAN);
        Optional<NetControl> known =
                NetControl.of(Byte.toUnsignedInt(command.get()), Byte.toUnsignedInt(command.get()));
        return known.isPresent() && perform(known.get(), command);
    }

    private boolean perform(NetControl command, ByteBuffer data) {
        VirtioState state = device.state();
        if (!NetControls.isPermitted(command, state.driverFeatures) || !state.controls.apply(command, data)) {
            return false;
        }
        if (command == NetControl.ANNOUNCE_ACK) {
            device.acknowledgeAnnouncement();
        } else if (command == NetControl.MAC_ADDR_SET) {
            device.configChanged();
        }
        return true;
    }
}
