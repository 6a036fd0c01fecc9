// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.virtio.DeviceStatus;
import dev.ferry.virtio.VirtioFeature;
import dev.ferry.virtio.VirtqueueConfig;

/**
 * Everything that a reset brings to its defaults and that device parts carry; no run-time state of rings. Guarded by
 * the function's lock.
 */
final class VirtioState {

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
     * DRIVER_OK come without FEATURES_OK. Device parts carry all that this follows from.
     */
    boolean isLegacy() {
        return !is(DeviceStatus.FEATURES_OK) && (is(DeviceStatus.DRIVER_OK) || hasEnabledQueue());
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

    /** Bytes of struct virtio_net_hdr before each frame: a legacy one has num_buffers only with MRG_RXBUF. */
    int netHeaderBytes() {
        return has(VirtioFeature.VERSION_1) || has(VirtioFeature.NET_MRG_RXBUF)
                ? Transmitter.NET_HDR_BYTES
                : Transmitter.LEGACY_NET_HDR_BYTES;
    }

    /** Whether a feature is negotiated. */
    boolean has(VirtioFeature feature) {
        return feature.isIn(negotiated());
    }

    /** The negotiated features; 0 before they are. */
    long negotiated() {
        return is(DeviceStatus.FEATURES_OK) || isLegacy() ? driverFeatures : 0;
    }

    void changeConfigGeneration() {
        configGeneration = configGeneration + 1 & 0xFF;
    }
}
