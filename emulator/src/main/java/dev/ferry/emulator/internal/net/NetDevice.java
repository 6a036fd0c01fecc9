// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.control.DmaSpace;
import dev.ferry.emulator.control.NetworkPort.Delivery;
import dev.ferry.emulator.control.NetworkPort.FrameSink;
import dev.ferry.emulator.internal.member.OwnerSide;
import dev.ferry.virtio.DeviceStatus;
import dev.ferry.virtio.PackedVirtqueuePosition;
import dev.ferry.virtio.VirtioFeature;
import dev.ferry.virtio.VirtqueueConfig;
import java.nio.ByteBuffer;
import java.util.BitSet;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The virtio-net device without its PCI face: status, mode, what becomes of its queues. Guarded by the function's lock.
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

    /** What the device was made with. */
    private final FunctionConfig own;
    /** What the driver sees: the same, or what a device context describes. */
    private FunctionConfig config;
    private final Bus bus;
    private final NetQueues queues;
    private final OwnerSide owner;

    private VirtioState state;
    private final ContextTransfer transfer = new ContextTransfer();
    private final HeldWrites held = new HeldWrites();
    private boolean stopped;
    private boolean frozen;
    private boolean announcing;
    private boolean loaded;

    NetDevice(FunctionConfig config, Bus bus, OwnerSide owner) {
        this.own = config;
        this.config = config;
        this.bus = bus;
        this.owner = owner;
        this.state = new VirtioState(config);
        this.queues = new NetQueues(this, bus, owner);
    }

    FunctionConfig config() {
        return config;
    }

    /** What the device was made with, whatever it was made to look like. */
    FunctionConfig ownConfig() {
        return own;
    }

    /** The device context that is being read or written. */
    ContextTransfer transfer() {
        return transfer;
    }

    /** What the driver of the frozen device wrote. */
    HeldWrites held() {
        return held;
    }

    VirtioState state() {
        return state;
    }

    boolean isStopped() {
        return stopped;
    }

    boolean isFrozen() {
        return frozen;
    }

    boolean isAnnouncing() {
        return announcing;
    }

    void connect(FrameSink sink) {
        queues.connect(sink);
    }

    /** Whether a driver can set a queue up: an administration virtqueue is there once its feature is negotiated. */
    boolean hasQueue(int index) {
        return index < config.queues() || index < config.allQueues() && state.has(VirtioFeature.ADMIN_VQ);
    }

    /** A reset by the guest, of device or function: everything to defaults but the mode, which is the owner's. */
    void reset() {
        config = own;
        state = new VirtioState(config);
        transfer.clear();
        held.clear();
        queues.reset();
        announcing = false;
        loaded = false;
        owner.reset();
    }

    /** A function-level reset by the host: everything to defaults, the mode too. */
    void functionReset() {
        reset();
        stopped = false;
        frozen = false;
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

    /** Enables a queue that exists; ignored before FEATURES_OK, or when its areas are not aligned. */
    void enableQueue(int index) {
        VirtqueueConfig queue = QueueSetup.enabled(state.queue(index));
        if (state.is(DeviceStatus.FEATURES_OK) && QueueSetup.isAligned(queue, state.isPacked())) {
            state.queue(index, queue);
            state.position(index, state.isPacked() ? PackedVirtqueuePosition.INITIAL : 0);
            queues.forget(index);
        }
    }

    /** Resets one queue that exists. */
    void resetQueue(int index) {
        state.resetQueue(index);
        queues.forget(index);
    }

    /** The driver notified a queue; {@link #serve} does the work. */
    void notified(int queue) {
        if (frozen) {
            held.kick(queue);
        } else {
            queues.notified(queue);
        }
    }

    /** Queues that were notified and not worked on; a copy. */
    BitSet pendingKicks() {
        return queues.pending();
    }

    /** The stopped device changes nothing of its context any more; what its driver writes is held. */
    void freeze() {
        frozen = true;
    }

    /** The stopped device takes writes again; whoever calls applies those that were held. */
    void unfreeze() {
        frozen = false;
    }

    /** Enters the stopped mode. Every chain that was read is used already, so there is nothing to finish. */
    void stop() {
        stopped = true;
    }

    /** Leaves the stopped mode: rings go on where they are, and no notification is relied upon. */
    void resume() {
        if (!stopped) {
            return;
        }
        stopped = false;
        queues.forgetRings();
        for (int queue = 0; queue < state.queues(); queue++) {
            queues.notified(queue);
        }
    }

    /** Takes a state from elsewhere; it has effect when the device is resumed. */
    void load(VirtioState newState) {
        state = newState;
        queues.reset();
        announcing = false;
        loaded = true;
    }

    /** Takes a device context; it has effect when the device is resumed. */
    void load(LoadedContext context) {
        config = context.config();
        load(context.state());
        announcing = context.announcing();
        context.kicks().stream().forEach(queues::notified);
    }

    /**
     * Works on one notified queue, a ring's length at most. The queues take turns.
     *
     * @return whether others are notified
     */
    boolean serve() {
        if (queues.isIdle() && !loaded || stopped || !state.isLive()) {
            return false;
        }
        Optional<DmaSpace> memory = bus.memory();
        if (memory.isEmpty()) {
            return false;
        }
        if (loaded && (bus.interrupts() || !state.hasVectors())) {
            arrive();
        }
        queues.serve(memory.get());
        return state.isLive() && !queues.isIdle();
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
        return queues.receive(frame, memory.get());
    }

    /** The driver broke the rules of a queue. */
    void needReset(int queue, RuntimeException fault) {
        needReset("in queue " + queue + " " + fault.getMessage());
    }

    /** Driver and device no longer agree. */
    void needReset(String why) {
        LOG.warn("{} needs a reset by its driver: {}", config.id(), why);
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
}
