// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.internal.pci.PciRegisters;
import dev.ferry.virtio.DeviceStatus;
import dev.ferry.virtio.PciCommonConfig;
import dev.ferry.virtio.VirtioFeature;
import dev.ferry.virtio.VirtqueueConfig;

/**
 * The registers of the common configuration. A field is accessed whole; one of 64 bits also by halves, as the text
 * demands of drivers. Guarded by the function's lock.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Common configuration
 *     structure layout"</a>
 */
final class CommonConfigRegisters {

    private static final long LOW_HALF = 0xFFFF_FFFFL;

    private final NetDevice device;

    CommonConfigRegisters(NetDevice device) {
        this.device = device;
    }

    /** Reads a register; all ones where there is none of this size. */
    long read(long offset, int size) {
        PciCommonConfig field = PciCommonConfig.at(offset).orElse(null);
        if (field != null && field.size() == size) {
            return read(field);
        }
        if (size == Integer.BYTES && field != null && field.size() == Long.BYTES) {
            return read(field) & LOW_HALF;
        }
        PciCommonConfig before = PciCommonConfig.at(offset - Integer.BYTES).orElse(null);
        if (size == Integer.BYTES && before != null && before.size() == Long.BYTES) {
            return read(before) >>> Integer.SIZE;
        }
        return PciRegisters.allOnes(size);
    }

    /** Writes a register; nothing happens where there is none of this size, or where it is read-only. */
    void write(long offset, int size, long value) {
        PciCommonConfig field = PciCommonConfig.at(offset).orElse(null);
        if (field != null && field.size() == size) {
            write(field, value);
            return;
        }
        if (size == Integer.BYTES && field != null && field.size() == Long.BYTES) {
            write(field, read(field) & ~LOW_HALF | value & LOW_HALF);
            return;
        }
        PciCommonConfig before = PciCommonConfig.at(offset - Integer.BYTES).orElse(null);
        if (size == Integer.BYTES && before != null && before.size() == Long.BYTES) {
            write(before, read(before) & LOW_HALF | value << Integer.SIZE);
        }
    }

    private long read(PciCommonConfig field) {
        VirtioState state = device.state();
        return switch (field) {
            case DEVICE_FEATURE_SELECT -> Integer.toUnsignedLong(state.deviceFeatureSelect);
            case DEVICE_FEATURE -> word(device.config().features(), state.deviceFeatureSelect);
            case DRIVER_FEATURE_SELECT -> Integer.toUnsignedLong(state.driverFeatureSelect);
            case DRIVER_FEATURE -> word(state.driverFeatures, state.driverFeatureSelect);
            case CONFIG_MSIX_VECTOR -> state.configVector;
            case NUM_QUEUES -> device.config().queues();
            case DEVICE_STATUS -> state.status;
            case CONFIG_GENERATION -> state.configGeneration;
            case QUEUE_SELECT -> state.queueSelect;
            case QUEUE_SIZE,
                    QUEUE_MSIX_VECTOR,
                    QUEUE_ENABLE,
                    QUEUE_NOTIFY_OFF,
                    QUEUE_DESC,
                    QUEUE_DRIVER,
                    QUEUE_DEVICE ->
                device.hasQueue(state.queueSelect) ? readQueue(field, state.queue(state.queueSelect)) : 0;
            case ADMIN_QUEUE_INDEX -> device.config().isOwner() ? device.config().queues() : 0;
            case ADMIN_QUEUE_NUM -> device.config().adminQueues();
            // A queue reset is over when the write returns; the other is of a feature that is not offered.
            case QUEUE_RESET, QUEUE_NOTIF_CONFIG_DATA -> 0;
        };
    }

    private long readQueue(PciCommonConfig field, VirtqueueConfig queue) {
        return switch (field) {
            case QUEUE_SIZE -> queue.size();
            case QUEUE_MSIX_VECTOR -> queue.vector();
            case QUEUE_ENABLE -> queue.enabled() ? 1 : 0;
            case QUEUE_NOTIFY_OFF -> device.state().queueSelect;
            case QUEUE_DESC -> queue.desc();
            case QUEUE_DRIVER -> queue.driver();
            case QUEUE_DEVICE -> queue.device();
            default -> throw new IllegalArgumentException(field + " is not of a queue");
        };
    }

    private static long word(long features, int select) {
        return select == 0 ? features & LOW_HALF : select == 1 ? features >>> Integer.SIZE : 0;
    }

    private void write(PciCommonConfig field, long value) {
        VirtioState state = device.state();
        switch (field) {
            case DEVICE_FEATURE_SELECT -> state.deviceFeatureSelect = (int) value;
            case DRIVER_FEATURE_SELECT -> state.driverFeatureSelect = (int) value;
            case DRIVER_FEATURE -> writeDriverFeature(state, value);
            case CONFIG_MSIX_VECTOR -> state.configVector = vector(value);
            case DEVICE_STATUS -> device.setStatus((int) value & 0xFF);
            case QUEUE_SELECT -> state.queueSelect = (int) value & 0xFFFF;
            case QUEUE_SIZE, QUEUE_MSIX_VECTOR, QUEUE_ENABLE, QUEUE_DESC, QUEUE_DRIVER, QUEUE_DEVICE, QUEUE_RESET -> {
                if (device.hasQueue(state.queueSelect)) {
                    writeQueue(field, state.queueSelect, value);
                }
            }
            case DEVICE_FEATURE,
                    NUM_QUEUES,
                    CONFIG_GENERATION,
                    QUEUE_NOTIFY_OFF,
                    QUEUE_NOTIF_CONFIG_DATA,
                    ADMIN_QUEUE_INDEX,
                    ADMIN_QUEUE_NUM -> {}
        }
    }

    private static void writeDriverFeature(VirtioState state, long value) {
        if (state.is(DeviceStatus.FEATURES_OK)) {
            return;
        }
        if (state.driverFeatureSelect == 0) {
            state.driverFeatures = state.driverFeatures & ~LOW_HALF | value & LOW_HALF;
        } else if (state.driverFeatureSelect == 1) {
            state.driverFeatures = state.driverFeatures & LOW_HALF | value << Integer.SIZE;
        }
    }

    private void writeQueue(PciCommonConfig field, int index, long value) {
        VirtqueueConfig queue = device.state().queue(index);
        switch (field) {
            case QUEUE_MSIX_VECTOR -> device.state().queue(index, QueueSetup.withVector(queue, vector(value)));
            case QUEUE_RESET -> {
                if (value == 1 && device.state().has(VirtioFeature.RING_RESET)) {
                    device.resetQueue(index);
                }
            }
            case QUEUE_ENABLE -> {
                if (value == 1 && !queue.enabled()) {
                    device.enableQueue(index);
                }
            }
            default -> {
                // What an enabled queue is made of stays until it is reset.
                if (!queue.enabled()) {
                    device.state().queue(index, layOut(field, queue, value));
                }
            }
        }
    }

    private VirtqueueConfig layOut(PciCommonConfig field, VirtqueueConfig queue, long value) {
        return switch (field) {
            case QUEUE_SIZE ->
                QueueSetup.isSize(value, device.state().isPacked(), device.config())
                        ? QueueSetup.withSize(queue, (int) value)
                        : queue;
            case QUEUE_DESC -> QueueSetup.withAreas(queue, value, queue.driver(), queue.device());
            case QUEUE_DRIVER -> QueueSetup.withAreas(queue, queue.desc(), value, queue.device());
            case QUEUE_DEVICE -> QueueSetup.withAreas(queue, queue.desc(), queue.driver(), value);
            default -> throw new IllegalArgumentException(field + " does not lay out a queue");
        };
    }

    private int vector(long value) {
        return QueueSetup.isVector(value, device.config()) ? (int) value : VirtqueueConfig.NO_VECTOR;
    }
}
