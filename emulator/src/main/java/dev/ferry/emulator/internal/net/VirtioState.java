// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.internal.virtqueue.Virtqueue;
import dev.ferry.virtio.DeviceStatus;
import dev.ferry.virtio.VirtioFeature;
import dev.ferry.virtio.VirtqueueConfig;
import java.util.Arrays;

/**
 * Everything that a reset brings to its defaults and that travels with a device; of the rings it is where the device is
 * in them. Guarded by the function's lock.
 */
final class VirtioState {

    private static final long LEGACY_FEATURES = 0xFFFF_FFFFL;

    /** device_feature_select. */
    int deviceFeatureSelect;
    /** driver_feature_select. */
    int driverFeatureSelect;
    /** Features that the driver took, or is about to. */
    long driverFeatures;
    /** config_msix_vector. */
    int configVector = VirtqueueConfig.NO_VECTOR;
    /** device_status. */
    int status;
    /** config_generation, 8 bits. */
    int configGeneration;
    /** queue_select. */
    int queueSelect;
    /** What the control queue configured. */
    final NetControls controls;

    private final VirtqueueConfig unused;
    /** Entries are null until they differ from {@link #unused}: most queues of most functions are never touched. */
    private final VirtqueueConfig[] queues;
    /** {@link Virtqueue#lastAvail} of each queue; null until one is known. */
    private int[] positions;

    /** The state after a reset. */
    VirtioState(FunctionConfig config) {
        controls = new NetControls(config);
        unused = new VirtqueueConfig(config.queueSize(), VirtqueueConfig.NO_VECTOR, false, 0, 0, 0);
        queues = new VirtqueueConfig[config.allQueues()];
    }

    private VirtioState(VirtioState other) {
        deviceFeatureSelect = other.deviceFeatureSelect;
        driverFeatureSelect = other.driverFeatureSelect;
        driverFeatures = other.driverFeatures;
        configVector = other.configVector;
        status = other.status;
        configGeneration = other.configGeneration;
        queueSelect = other.queueSelect;
        controls = other.controls.copy();
        unused = other.unused;
        queues = other.queues.clone();
        positions = other.positions == null ? null : other.positions.clone();
    }

    VirtioState copy() {
        return new VirtioState(this);
    }

    /** Number of queues that there are, of all kinds. */
    int queues() {
        return queues.length;
    }

    /** Configuration of a queue that exists. */
    VirtqueueConfig queue(int index) {
        return queues[index] == null ? unused : queues[index];
    }

    void queue(int index, VirtqueueConfig config) {
        queues[index] = config;
    }

    /** Brings one queue to its defaults. */
    void resetQueue(int index) {
        queues[index] = null;
        position(index, Virtqueue.UNKNOWN);
    }

    /**
     * Where the device is in the ring of a queue: {@link Virtqueue#lastAvail} and, between two sections of work, {@link
     * Virtqueue#lastUsed}. {@link Virtqueue#UNKNOWN} where only guest memory says it, or the queue is not enabled.
     */
    int position(int index) {
        return positions == null ? Virtqueue.UNKNOWN : positions[index];
    }

    /** Takes note of where the device is in the ring of a queue. */
    void position(int index, int position) {
        if (positions == null) {
            if (position == Virtqueue.UNKNOWN) {
                return;
            }
            positions = new int[queues.length];
            Arrays.fill(positions, Virtqueue.UNKNOWN);
        }
        positions[index] = position;
    }

    /** No position is known any more. */
    void forgetPositions() {
        positions = null;
    }

    /** Whether all bits of a status are set. */
    boolean is(int statusBits) {
        return (status & statusBits) == statusBits;
    }

    /** Whether the driver drives the device, and has not run into a fault. */
    boolean isLive() {
        return is(DeviceStatus.DRIVER_OK) && !is(DeviceStatus.DEVICE_NEEDS_RESET);
    }

    /**
     * Whether a driver of the legacy interface has the device: there is no end of negotiation for it, so queues or
     * DRIVER_OK come without FEATURES_OK, and without VERSION_1, which is not among the 32 features that it can take.
     * Device parts carry all that this follows from.
     */
    boolean isLegacy() {
        return !is(DeviceStatus.FEATURES_OK)
                && (driverFeatures & VirtioFeature.VERSION_1.mask()) == 0
                && (is(DeviceStatus.DRIVER_OK) || hasEnabledQueue());
    }

    /** A legacy driver begins to use the device: of features beyond its 32 it knows nothing. */
    void takeLegacyFeatures() {
        driverFeatures &= LEGACY_FEATURES;
    }

    private boolean hasEnabledQueue() {
        for (VirtqueueConfig queue : queues) {
            if (queue != null && queue.enabled()) {
                return true;
            }
        }
        return false;
    }

    /** Whether the driver wants interrupts by MSI-X: it assigned a vector to something. */
    boolean hasVectors() {
        for (VirtqueueConfig queue : queues) {
            if (queue != null && queue.vector() != VirtqueueConfig.NO_VECTOR) {
                return true;
            }
        }
        return configVector != VirtqueueConfig.NO_VECTOR;
    }

    /** Whether a feature is negotiated. */
    boolean has(VirtioFeature feature) {
        return feature.isIn(negotiated());
    }

    /** Whether the queues are packed virtqueues. */
    boolean isPacked() {
        return has(VirtioFeature.RING_PACKED);
    }

    /** The negotiated features; 0 before they are. A legacy driver knows 32, whatever was written before it came. */
    long negotiated() {
        if (is(DeviceStatus.FEATURES_OK)) {
            return driverFeatures;
        }
        return isLegacy() ? driverFeatures & LEGACY_FEATURES : 0;
    }

    void changeConfigGeneration() {
        configGeneration = configGeneration + 1 & 0xFF;
    }
}
