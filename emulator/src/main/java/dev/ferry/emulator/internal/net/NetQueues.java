// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import dev.ferry.emulator.control.NetworkPort.FrameSink;
import dev.ferry.emulator.internal.member.OwnerSide;
import dev.ferry.emulator.internal.virtqueue.PackedRing;
import dev.ferry.emulator.internal.virtqueue.RingFault;
import dev.ferry.emulator.internal.virtqueue.ScratchBuffer;
import dev.ferry.emulator.internal.virtqueue.SplitRing;
import dev.ferry.emulator.internal.virtqueue.Virtqueue;
import dev.ferry.virtio.VirtioFeature;
import dev.ferry.virtio.VirtqueueConfig;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;

/**
 * The work on the queues of the device: receive, transmit and control, on rings of either format. Where the device is
 * in a ring is noted in the {@link VirtioState} after each section of work. Guarded by the function's lock.
 */
final class NetQueues {

    private final NetDevice device;
    private final Bus bus;
    private final ScratchBuffer scratch = new ScratchBuffer();
    private final ReceiveSteering steering = new ReceiveSteering();
    private final Receiver receiver = new Receiver();
    private final Transmitter transmitter = new Transmitter(scratch);
    private final ControlQueue controlQueue;
    private final AdminVirtqueue adminQueue;

    /** Rings in use; null = not used since the queue was enabled or the device resumed. */
    private final Virtqueue[] rings;
    private final BitSet notified = new BitSet();
    private int servedLast;

    NetQueues(NetDevice device, Bus bus, OwnerSide owner) {
        this.device = device;
        this.bus = bus;
        this.controlQueue = new ControlQueue(device, scratch);
        this.adminQueue = new AdminVirtqueue(owner);
        this.rings = new Virtqueue[device.config().allQueues()];
    }

    void connect(FrameSink sink) {
        transmitter.connect(sink);
    }

    /** Forgets everything: rings, notifications, memory. */
    void reset() {
        forgetRings();
        notified.clear();
        scratch.release();
        receiver.release();
    }

    /** Forgets one ring and its notification. */
    void forget(int queue) {
        rings[queue] = null;
        notified.clear(queue);
    }

    /** Forgets all rings; each goes on where the state says. */
    void forgetRings() {
        Arrays.fill(rings, null);
    }

    /** The driver notified a queue; receive queues wait for frames. */
    void notified(int queue) {
        VirtioState state = device.state();
        if (queue < state.queues() && state.queue(queue).enabled() && role(queue) != QueueRole.RECEIVE) {
            notified.set(queue);
        }
    }

    /** The queues that are notified; a copy. */
    BitSet pending() {
        return (BitSet) notified.clone();
    }

    /** Whether no queue is notified. */
    boolean isIdle() {
        return notified.isEmpty();
    }

    /** Works on one notified queue, a ring's length at most. The queues take turns. */
    void serve(DmaSpace memory) {
        if (notified.isEmpty()) {
            return;
        }
        // Round robin, so that a busy queue does not keep the others waiting.
        int following = notified.nextSetBit(servedLast + 1);
        int queue = following < 0 ? notified.nextSetBit(0) : following;
        servedLast = queue;
        if (device.state().queue(queue).enabled()) {
            work(queue, memory);
        }
        notified.clear(queue);
    }

    // What becomes available meanwhile is left to its own notification, so that no driver can keep a thread here.
    private void work(int queue, DmaSpace memory) {
        Virtqueue ring = ring(queue);
        try {
            ring.begin(memory);
            QueueRole role = role(queue);
            int headerBytes = NetHeader.bytes(device.state());
            int chains = ring.availableUntilNotified();
            for (int i = 0; i < chains && rings[queue] == ring; i++) {
                switch (role) {
                    case CONTROL -> controlQueue.execute(ring, memory);
                    case ADMIN -> adminQueue.execute(ring, memory, () -> rings[queue] == ring);
                    case TRANSMIT -> transmitter.transmit(ring, memory, headerBytes);
                    case RECEIVE -> throw new IllegalStateException("a receive queue is worked on by frames");
                }
            }
            if (chains > 0 && rings[queue] == ring) {
                signalUsed(queue, ring);
            }
        } catch (RingFault | DmaSpace.DmaFault e) {
            device.needReset(queue, e);
        } finally {
            end(queue, ring);
        }
    }

    /** Puts a frame into the receive queue it belongs to. */
    Delivery receive(ByteBuffer frame, DmaSpace memory) {
        int queue = steering.queue(frame, device.state());
        return switch (queue) {
            case ReceiveSteering.DROP -> Delivery.FILTERED;
            case ReceiveSteering.NOWHERE -> Delivery.NOT_READY;
            default -> receive(queue, frame, memory);
        };
    }

    private Delivery receive(int queue, ByteBuffer frame, DmaSpace memory) {
        Virtqueue ring = ring(queue);
        try {
            ring.begin(memory);
            Delivery delivery = receiver.receive(ring, memory, frame, steering.hash(), device.state());
            if (delivery == Delivery.TAKEN) {
                signalUsed(queue, ring);
            }
            return delivery;
        } catch (RingFault | DmaSpace.DmaFault e) {
            device.needReset(queue, e);
            return Delivery.NOT_READY;
        } finally {
            end(queue, ring);
        }
    }

    private void signalUsed(int queue, Virtqueue ring) {
        if (ring.interruptDue()) {
            bus.signalQueue(device.state().queue(queue).vector());
        }
    }

    private void end(int queue, Virtqueue ring) {
        ring.end();
        // Whoever takes the frames may have reset the device meanwhile.
        if (rings[queue] == ring) {
            device.state().position(queue, ring.lastAvail());
        }
    }

    private Virtqueue ring(int queue) {
        if (rings[queue] == null) {
            rings[queue] = ring(device.state().queue(queue), device.state().position(queue));
        }
        return rings[queue];
    }

    private Virtqueue ring(VirtqueueConfig queue, int position) {
        VirtioState state = device.state();
        boolean indirect = state.has(VirtioFeature.INDIRECT_DESC);
        boolean eventIdx = state.has(VirtioFeature.EVENT_IDX);
        return state.isPacked()
                ? new PackedRing(queue, indirect, eventIdx, position)
                : new SplitRing(queue, indirect, eventIdx, position);
    }

    private QueueRole role(int queue) {
        return QueueRole.of(queue, device.config(), device.state());
    }
}
