// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.virtio.DevicePart;
import dev.ferry.virtio.DevicePartType;
import dev.ferry.virtio.NetControl;
import dev.ferry.virtio.PackedVirtqueuePosition;
import dev.ferry.virtio.PciCommonConfig;
import dev.ferry.virtio.VirtioFeature;
import dev.ferry.virtio.VirtqueueConfig;
import dev.ferry.virtio.VirtqueueNotifyConfig;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.List;

/**
 * Makes device parts of a state, in table order, ascending within a type.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Device parts"</a>
 */
final class PartsCapture {

    /** Fields of the common configuration that travel as parts of their own: those no other part covers. */
    static final List<PciCommonConfig> COMMON_FIELDS = List.of(
            PciCommonConfig.DEVICE_FEATURE_SELECT,
            PciCommonConfig.DRIVER_FEATURE_SELECT,
            PciCommonConfig.CONFIG_MSIX_VECTOR,
            PciCommonConfig.NUM_QUEUES,
            PciCommonConfig.CONFIG_GENERATION,
            PciCommonConfig.QUEUE_SELECT);

    /** Control commands that have a part, but not ANNOUNCE_ACK, whose part says nothing. */
    private static final List<NetControl> CONTROLS = List.of(
            NetControl.RX_PROMISC,
            NetControl.RX_ALLMULTI,
            NetControl.RX_ALLUNI,
            NetControl.RX_NOMULTI,
            NetControl.RX_NOUNI,
            NetControl.RX_NOBCAST,
            NetControl.MAC_TABLE_SET,
            NetControl.MAC_ADDR_SET,
            NetControl.VLAN_ADD,
            NetControl.MQ_VQ_PAIRS_SET,
            NetControl.MQ_RSS_CONFIG,
            NetControl.MQ_HASH_CONFIG);

    private final FunctionConfig config;
    private final VirtioState state;
    private final List<CapturedPart> parts = new ArrayList<>();

    private PartsCapture(FunctionConfig config, VirtioState state) {
        this.config = config;
        this.state = state;
    }

    /** All parts there are. */
    static List<CapturedPart> capture(FunctionConfig config, VirtioState state) {
        PartsCapture capture = new PartsCapture(config, state);
        capture.device();
        capture.queues();
        capture.controls();
        capture.positions();
        return capture.parts;
    }

    /** The most bytes that all parts of a function can take, headers included. */
    static int maxSize(FunctionConfig config) {
        int size = 2 * (DevicePart.HEADER_BYTES + Long.BYTES) + DevicePart.HEADER_BYTES + 1;
        for (PciCommonConfig field : COMMON_FIELDS) {
            size += DevicePart.HEADER_BYTES + field.size();
        }
        size += config.queues()
                * (2 * DevicePart.HEADER_BYTES + VirtqueueConfig.BYTES + VirtqueueNotifyConfig.BYTES);
        if (VirtioFeature.RING_PACKED.isIn(config.features())) {
            size += config.queues() * (DevicePart.HEADER_BYTES + PackedVirtqueuePosition.BYTES);
        }
        for (NetControl control : CONTROLS) {
            if (isThere(control, config, config.features())) {
                size += DevicePart.HEADER_BYTES + NetControls.maxValueBytes(control);
            }
        }
        return size;
    }

    private void device() {
        ByteBuffer offered = value(Long.BYTES).putLong(config.features());
        addOptional(DevicePartType.DEV_FEATURES, 0, offered);
        add(DevicePartType.DRV_FEATURES, 0, value(Long.BYTES).putLong(state.driverFeatures));
        for (PciCommonConfig field : COMMON_FIELDS) {
            add(DevicePartType.PCI_COMMON_CFG, field.offset(), commonValue(field));
        }
        add(DevicePartType.DEVICE_STATUS, 0, value(1).put((byte) state.status));
    }

    private ByteBuffer commonValue(PciCommonConfig field) {
        ByteBuffer value = value(field.size());
        return switch (field) {
            case DEVICE_FEATURE_SELECT -> value.putInt(state.deviceFeatureSelect);
            case DRIVER_FEATURE_SELECT -> value.putInt(state.driverFeatureSelect);
            case CONFIG_MSIX_VECTOR -> value.putShort((short) state.configVector);
            case NUM_QUEUES -> value.putShort((short) state.queues());
            case CONFIG_GENERATION -> value.put((byte) state.configGeneration);
            case QUEUE_SELECT -> value.putShort((short) state.queueSelect);
            default -> throw new IllegalArgumentException(field + " does not travel as a part");
        };
    }

    private void queues() {
        for (int queue = 0; queue < state.queues(); queue++) {
            ByteBuffer value = value(VirtqueueConfig.BYTES);
            state.queue(queue).encode(value);
            add(DevicePartType.VQ_CFG, queue, value);
        }
        for (int queue = 0; queue < state.queues(); queue++) {
            ByteBuffer value = value(VirtqueueNotifyConfig.BYTES);
            new VirtqueueNotifyConfig(queue, 0).encode(value);
            add(DevicePartType.VQ_NOTIFY_CFG, queue, value);
        }
    }

    /**
     * Whether a control command has a part, with features that the driver took. The address is more than what the
     * driver configured: it reads the one that the device came with, so that has to come along in any case.
     */
    static boolean isThere(NetControl control, FunctionConfig config, long driverFeatures) {
        return CONTROLS.contains(control)
                && (NetControls.isPermitted(control, driverFeatures)
                        || control == NetControl.MAC_ADDR_SET && VirtioFeature.NET_MAC.isIn(config.features()));
    }

    private void controls() {
        for (NetControl control : CONTROLS) {
            if (isThere(control, config, state.negotiated()) && state.controls.isConfigured(control)) {
                byte[] value = state.controls.value(control);
                parts.add(new CapturedPart(
                        DevicePart.of(DevicePartType.NET_CVQ_CFG, control.selector(), value.length), value));
            }
        }
    }

    /** Where the device is in packed queues: guest memory does not tell. Queues that are not enabled are nowhere. */
    private void positions() {
        for (int queue = 0; state.isPacked() && queue < state.queues(); queue++) {
            if (state.queue(queue).enabled()) {
                ByteBuffer value = value(PackedVirtqueuePosition.BYTES);
                new PackedVirtqueuePosition(state.position(queue), state.position(queue)).encode(value);
                addOptional(DevicePartType.PACKED_VQ_POSITION, queue, value);
            }
        }
    }

    private void addOptional(DevicePartType type, long selector, ByteBuffer value) {
        parts.add(new CapturedPart(
                new DevicePart(type.number(), DevicePart.FLAG_OPTIONAL, selector, value.capacity()), value.array()));
    }

    private void add(DevicePartType type, long selector, ByteBuffer value) {
        parts.add(new CapturedPart(DevicePart.of(type, selector, value.capacity()), value.array()));
    }

    private static ByteBuffer value(int bytes) {
        return ByteBuffer.allocate(bytes).order(ByteOrder.LITTLE_ENDIAN);
    }
}
