// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import dev.ferry.emulator.control.NetworkPort.FrameSink;
import dev.ferry.emulator.internal.member.OwnerSide;
import dev.ferry.emulator.internal.virtqueue.RingFault;
import dev.ferry.emulator.internal.virtqueue.ScratchBuffer;
import dev.ferry.emulator.internal.virtqueue.SplitRing;
import dev.ferry.virtio.DeviceStatus;
import dev.ferry.virtio.VirtioFeature;
import dev.ferry.virtio.VirtqueueConfig;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The virtio-net device without its PCI face: status, queues, mode. Guarded by the function's lock.
 *
 * <p>It works only when called: notified queues are remembered, and {@link #serve} works on them while device and bus
 * allow it.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Network Device"</a>
 */
final class NetDevice {

    private static final Logger LOG = LoggerFactory.getLogger(NetDevice.class);

    private static final int DRIVER_STATUS_BITS = DeviceStatus.ACKNOWLEDGE
            | DeviceStatus.DRIVER
            | DeviceStatus.DRIVER_OK
            | DeviceStatus.FEATURES_OK
            | DeviceStatus.FAILED;

    private static final int LEGACY_STATUS_BITS = DRIVER_STATUS_BITS & ~DeviceStatus.FEATURES_OK;

    private final FunctionConfig config;
    private final Bus bus;
    private final ScratchBuffer scratch = new ScratchBuffer();
    private final Receiver receiver = new Receiver();
    private final Transmitter transmitter = new Transmitter(scratch);
    private final ControlQueue controlQueue = new ControlQueue(this, scratch);
    private final OwnerSide owner;
    private final AdminVirtqueue adminQueue;

    private VirtioState state;
    /** Rings in use; null = not used since the queue was enabled or the device resumed. */
    private final SplitRing[] rings;
    private final BitSet notified = new BitSet();
    private int servedLast;
    private boolean stopped;
    private boolean announcing;
    private boolean loaded;

    NetDevice(FunctionConfig config, Bus bus, OwnerSide owner) {
        this.config = config;
        this.bus = bus;
        this.owner = owner;
        this.adminQueue = new AdminVirtqueue(owner);
        this.state = new VirtioState(config);
        this.rings = new SplitRing[config.allQueues()];
    }

    FunctionConfig config() {
        return config;
    }

    VirtioState state() {
        return state;
    }

    boolean isStopped() {
        return stopped;
    }

    boolean isAnnouncing() {
        return announcing;
    }

    void connect(FrameSink sink) {
        transmitter.connect(sink);
    }

    /** Whether a driver can set a queue up: an administration virtqueue is there once its feature is negotiated. */
    boolean hasQueue(int index) {
        return index < config.queues() || index < config.allQueues() && state.has(VirtioFeature.ADMIN_VQ);
    }

    /** A reset by the guest, of device or function: everything to defaults but the mode, which is the owner's. */
    void reset() {
        state = new VirtioState(config);
        forgetRings();
        notified.clear();
        scratch.release();
        receiver.release();
        announcing = false;
        loaded = false;
        owner.reset();
    }

    /** A function-level reset by the host: everything to defaults, the mode too. */
    void functionReset() {
        reset();
        stopped = false;
    }

    /** What a write of device_status does. */
    void setStatus(int value) {
        if (value == 0) {
            reset();
            return;
        }
        int status = state.status | value & DRIVER_STATUS_BITS;
        if (!state.is(DeviceStatus.FEATURES_OK) && !Features.acceptable(config.features(), state.driverFeatures)) {
            status &= ~DeviceStatus.FEATURES_OK;
        }
        if ((status & DeviceStatus.FEATURES_OK) == 0) {
            status &= ~DeviceStatus.DRIVER_OK;
        }
        state.status = status;
    }

    /** What a write of the legacy status does. */
    void setLegacyStatus(int value) {
        if (value == 0) {
            reset();
        } else {
            state.status |= value & LEGACY_STATUS_BITS;
        }
    }

    /**
     * Takes a queue that exists into use or out of use, as a legacy driver does at any time. The ring begins where the
     * used index in memory says, which is 0 in memory that was cleared as it must be.
     */
    void changeQueue(int index, VirtqueueConfig queue) {
        resetQueue(index);
        state.queue(index, queue);
    }

    /** Enables a queue that exists; ignored before FEATURES_OK, or when its areas are not aligned. */
    void enableQueue(int index) {
        VirtqueueConfig queue = QueueSetup.enabled(state.queue(index));
        if (state.is(DeviceStatus.FEATURES_OK) && QueueSetup.isAligned(queue)) {
            state.queue(index, queue);
            rings[index] = ring(queue, true);
        }
    }

    /** Resets one queue that exists. */
    void resetQueue(int index) {
        state.resetQueue(index);
        rings[index] = null;
        notified.clear(index);
    }

    /** The driver notified a queue; {@link #serve} does the work. */
    void notified(int queue) {
        if (queue < state.queues() && state.queue(queue).enabled() && role(queue) != QueueRole.RECEIVE) {
            notified.set(queue);
        }
    }

    /** Enters the stopped mode. Every chain that was read is used already, so there is nothing to finish. */
    void stop() {
        stopped = true;
    }

    /** Leaves the stopped mode: rings go on where guest memory says, and no notification is relied upon. */
    void resume() {
        if (!stopped) {
            return;
        }
        stopped = false;
        forgetRings();
        for (int queue = 0; queue < state.queues(); queue++) {
            notified(queue);
        }
    }

    /** Takes a state from elsewhere; it has effect when the device is resumed. */
    void load(VirtioState newState) {
        state = newState;
        forgetRings();
        notified.clear();
        announcing = false;
        loaded = true;
    }

    private void forgetRings() {
        Arrays.fill(rings, null);
    }

    /**
     * Works on one notified queue, a ring's length at most. The queues take turns.
     *
     * @return whether others are notified
     */
    boolean serve() {
        if (notified.isEmpty() && !loaded || stopped || !state.isLive()) {
            return false;
        }
        Optional<DmaSpace> memory = bus.memory();
        if (memory.isEmpty()) {
            return false;
        }
        if (loaded && (bus.interrupts() || !state.hasVectors())) {
            arrive();
        }
        if (notified.isEmpty()) {
            return false;
        }
        // Round robin, so that a busy queue does not keep the others waiting.
        int following = notified.nextSetBit(servedLast + 1);
        int queue = following < 0 ? notified.nextSetBit(0) : following;
        servedLast = queue;
        if (state.queue(queue).enabled()) {
            work(queue, memory.get());
        }
        notified.clear(queue);
        return state.isLive() && !notified.isEmpty();
    }

    /**
     * The first moment after a load in which the driver can be told things. Interrupts may have been pending where the
     * state comes from, which no part carries, so every queue interrupts once. The network must learn of the new place.
     */
    private void arrive() {
        loaded = false;
        for (int queue = 0; queue < state.queues(); queue++) {
            if (state.queue(queue).enabled()) {
                bus.signalQueue(state.queue(queue).vector());
            }
        }
        if (state.has(VirtioFeature.NET_GUEST_ANNOUNCE)) {
            announcing = true;
            configChanged();
            bus.signalConfig(state.configVector);
        }
    }

    // What becomes available meanwhile is left to its own notification, so that no driver can keep a thread here.
    private void work(int queue, DmaSpace memory) {
        SplitRing ring = ring(queue);
        try {
            ring.begin(memory);
            QueueRole role = role(queue);
            int chains = ring.availableUntilNotified();
            for (int i = 0; i < chains && rings[queue] == ring; i++) {
                switch (role) {
                    case CONTROL -> controlQueue.execute(ring, memory);
                    case ADMIN -> adminQueue.execute(ring, memory, () -> rings[queue] == ring);
                    case TRANSMIT -> transmitter.transmit(ring, memory, state.netHeaderBytes());
                    case RECEIVE -> throw new IllegalStateException("a receive queue is worked on by frames");
                }
            }
            if (chains > 0 && rings[queue] == ring) {
                signalUsed(queue, ring);
            }
        } catch (RingFault | DmaSpace.DmaFault e) {
            needReset(queue, e);
        } finally {
            ring.end();
        }
    }

    /** What {@link dev.ferry.emulator.control.NetworkPort#deliver} does. */
    Delivery deliver(ByteBuffer frame) {
        if (frame.remaining() > Ethernet.MAX_FRAME_BYTES) {
            return Delivery.TOO_LONG;
        }
        Optional<DmaSpace> memory = stopped || !state.isLive() ? Optional.empty() : bus.memory();
        if (memory.isEmpty()) {
            return Delivery.NOT_READY;
        }
        if (frame.remaining() < Ethernet.HEADER_BYTES
                || !ReceiveFilter.wants(frame, state.controls, state.driverFeatures)) {
            return Delivery.FILTERED;
        }
        int queue = receiveQueue(frame);
        return queue < 0 ? Delivery.NOT_READY : receive(queue, frame, memory.get());
    }

    private Delivery receive(int queue, ByteBuffer frame, DmaSpace memory) {
        SplitRing ring = ring(queue);
        try {
            ring.begin(memory);
            Delivery delivery = receiver.receive(
                    ring, memory, frame, state.netHeaderBytes(), state.has(VirtioFeature.NET_MRG_RXBUF));
            if (delivery == Delivery.TAKEN) {
                signalUsed(queue, ring);
            }
            return delivery;
        } catch (RingFault | DmaSpace.DmaFault e) {
            needReset(queue, e);
            return Delivery.NOT_READY;
        } finally {
            ring.end();
        }
    }

    /** The receive queue of a frame's flow, or the first that is enabled where that one is not; -1 = none is. */
    private int receiveQueue(ByteBuffer frame) {
        int pairs = state.controls.pairs();
        int queue = pairs == 1 ? 0 : 2 * (FlowHash.of(frame) % pairs);
        for (int next = 0; !state.queue(queue).enabled(); next++) {
            if (next == pairs) {
                return -1;
            }
            queue = 2 * next;
        }
        return queue;
    }

    private void signalUsed(int queue, SplitRing ring) {
        if (ring.interruptDue()) {
            bus.signalQueue(state.queue(queue).vector());
        }
    }

    private void needReset(int queue, RuntimeException fault) {
        LOG.warn("{} needs a reset by its driver: in queue {} {}", config.id(), queue, fault.getMessage());
        state.status |= DeviceStatus.DEVICE_NEEDS_RESET;
        bus.signalConfig(state.configVector);
    }

    /** The driver acknowledged the announcement. */
    void acknowledgeAnnouncement() {
        if (announcing) {
            announcing = false;
            configChanged();
        }
    }

    /** The device configuration reads differently from now on. */
    void configChanged() {
        state.changeConfigGeneration();
    }

    private SplitRing ring(int queue) {
        if (rings[queue] == null) {
            rings[queue] = ring(state.queue(queue), false);
        }
        return rings[queue];
    }

    private SplitRing ring(VirtqueueConfig queue, boolean fresh) {
        return new SplitRing(
                queue, state.has(VirtioFeature.INDIRECT_DESC), state.has(VirtioFeature.EVENT_IDX), fresh);
    }

    private QueueRole role(int queue) {
        return QueueRole.of(queue, config, state);
    }
}
