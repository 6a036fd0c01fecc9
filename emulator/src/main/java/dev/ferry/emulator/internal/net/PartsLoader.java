// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.emulator.internal.virtqueue.Virtqueue;
import dev.ferry.virtio.DevicePart;
import dev.ferry.virtio.DevicePart.Located;
import dev.ferry.virtio.DevicePartType;
import dev.ferry.virtio.DeviceStatus;
import dev.ferry.virtio.NetControl;
import dev.ferry.virtio.PackedVirtqueuePosition;
import dev.ferry.virtio.PciCommonConfig;
import dev.ferry.virtio.VirtioFeature;
import dev.ferry.virtio.VirtqueueConfig;
import dev.ferry.virtio.VirtqueueNotifyConfig;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import java.util.Set;

/**
 * Makes a new state of device parts. The state the device has is not touched, so that a refusal leaves no trace.
 *
 * <p>Parts must come in table order by type; each is checked against what came before it, or what the device has where
 * nothing came. DEV_FEATURES, num_queues and VQ_NOTIFY_CFG are only verified, since they belong to the device.
 * config_generation is taken: a driver may be reading the configuration while it moves.
 *
 * @see <a href="https://docs.oasis-open.org/virtio/virtio/v1.4/virtio-v1.4.html">virtio 1.4, "Device parts set"</a>
 */
final class PartsLoader {

    /** Bits of device_status that this device can have. */
    static final int KNOWN_STATUS = DeviceStatus.ACKNOWLEDGE
            | DeviceStatus.DRIVER
            | DeviceStatus.DRIVER_OK
            | DeviceStatus.FEATURES_OK
            | DeviceStatus.DEVICE_NEEDS_RESET
            | DeviceStatus.FAILED;

    private static final int VQ_CFG_ENABLED_OFFSET = 4;
    private static final int VQ_CFG_RESERVED_OFFSET = 6;

    private final FunctionConfig config;
    private final VirtioState next;
    private final Set<CapturedPart.Name> seen = new HashSet<>();
    private int lastType;

    private PartsLoader(FunctionConfig config, VirtioState base) {
        this.config = config;
        this.next = base;
    }

    /**
     * The state that follows from parts.
     *
     * @param parts one or several; a set that describes a device completely replaces everything, another only what it
     *     names
     * @param present the state now; not changed
     * @throws PartRefusedException for the first part that cannot be taken
     */
    static VirtioState load(List<Located> parts, VirtioState present, FunctionConfig config)
            throws PartRefusedException {
        VirtioState base = isComplete(parts, config) ? new VirtioState(config) : present.copy();
        if (!base.isPacked()) {
            base.forgetPositions();
        }
        PartsLoader loader = new PartsLoader(config, base);
        for (Located part : parts) {
            loader.take(part);
        }
        loader.checkWhole();
        return loader.next;
    }

    private static boolean isComplete(List<Located> parts, FunctionConfig config) {
        Set<CapturedPart.Name> mandatory = new HashSet<>();
        mandatory.add(new CapturedPart.Name(DevicePartType.DRV_FEATURES.number(), 0));
        mandatory.add(new CapturedPart.Name(DevicePartType.DEVICE_STATUS.number(), 0));
        for (int queue = 0; queue < config.queues(); queue++) {
            mandatory.add(new CapturedPart.Name(DevicePartType.VQ_CFG.number(), queue));
        }
        parts.forEach(part -> mandatory.remove(CapturedPart.Name.of(part.header())));
        return mandatory.isEmpty();
    }

    private void take(Located part) throws PartRefusedException {
        DevicePart header = part.header();
        Optional<DevicePartType> type = DevicePartType.ofNumber(header.type());
        if (type.isEmpty() || !exists(type.get(), header.selector())) {
            check(header.isOptional(), header, "is not known to this device, and not optional");
            return;
        }
        check(header.type() >= lastType, header, "comes after one that must follow it");
        check(seen.add(CapturedPart.Name.of(header)), header, "comes twice");
        lastType = header.type();
        check(apply(type.get(), header, part.value()), header, "has a length or a value that this device cannot take");
    }

    private boolean exists(DevicePartType type, long selector) {
        return switch (type) {
            case DEV_FEATURES, DRV_FEATURES, DEVICE_STATUS -> selector == 0;
            case PCI_COMMON_CFG ->
                PciCommonConfig.at(selector).filter(PartsCapture.COMMON_FIELDS::contains).isPresent();
            case VQ_CFG, VQ_NOTIFY_CFG -> selector >= 0 && selector < config.queues();
            case NET_CVQ_CFG -> NetControl.ofSelector(selector).filter(this::exists).isPresent();
            case PACKED_VQ_POSITION ->
                VirtioFeature.RING_PACKED.isIn(config.features()) && selector >= 0 && selector < config.queues();
        };
    }

    // The part of ANNOUNCE_ACK says nothing, so this device gives none; others may.
    private boolean exists(NetControl control) {
        return PartsCapture.isThere(control, config, config.features())
                || control == NetControl.ANNOUNCE_ACK && NetControls.isPermitted(control, next.negotiated());
    }

    private boolean apply(DevicePartType type, DevicePart header, ByteBuffer value) {
        return switch (type) {
            case DEV_FEATURES -> value.remaining() == Long.BYTES && value.getLong() == config.features();
            case DRV_FEATURES -> driverFeatures(value);
            case PCI_COMMON_CFG -> common(PciCommonConfig.at(header.selector()).orElseThrow(), value);
            case DEVICE_STATUS -> status(value);
            case VQ_CFG -> queue((int) header.selector(), value);
            case VQ_NOTIFY_CFG ->
                value.remaining() == VirtqueueNotifyConfig.BYTES
                        && VirtqueueNotifyConfig.decode(value)
                                .equals(new VirtqueueNotifyConfig((int) header.selector(), 0));
            case NET_CVQ_CFG -> control(NetControl.ofSelector(header.selector()).orElseThrow(), value);
            case PACKED_VQ_POSITION -> position((int) header.selector(), value);
        };
    }

    private boolean driverFeatures(ByteBuffer value) {
        if (value.remaining() != Long.BYTES) {
            return false;
        }
        next.driverFeatures = value.getLong();
        return true;
    }

    private boolean common(PciCommonConfig field, ByteBuffer value) {
        if (value.remaining() != field.size()) {
            return false;
        }
        switch (field) {
            case DEVICE_FEATURE_SELECT -> next.deviceFeatureSelect = value.getInt();
            case DRIVER_FEATURE_SELECT -> next.driverFeatureSelect = value.getInt();
            case CONFIG_MSIX_VECTOR -> next.configVector = Short.toUnsignedInt(value.getShort());
            case NUM_QUEUES -> {
                return Short.toUnsignedInt(value.getShort()) == config.queues();
            }
            case CONFIG_GENERATION -> next.configGeneration = Byte.toUnsignedInt(value.get());
            case QUEUE_SELECT -> next.queueSelect = Short.toUnsignedInt(value.getShort());
            default -> {
                return false;
            }
        }
        return QueueSetup.isVectorOrNone(next.configVector, config);
    }

    private boolean status(ByteBuffer value) {
        if (value.remaining() != 1) {
            return false;
        }
        next.status = Byte.toUnsignedInt(value.get());
        return (next.status & ~KNOWN_STATUS) == 0;
    }

    private boolean queue(int index, ByteBuffer value) {
        if (value.remaining() != VirtqueueConfig.BYTES
                || value.getShort(VQ_CFG_ENABLED_OFFSET) >>> 1 != 0
                || value.getShort(VQ_CFG_RESERVED_OFFSET) != 0) {
            return false;
        }
        VirtqueueConfig queue = VirtqueueConfig.decode(value);
        next.queue(index, queue);
        return isUsable(queue) && QueueSetup.isVectorOrNone(queue.vector(), config);
    }

    private boolean isUsable(VirtqueueConfig queue) {
        return QueueSetup.isSize(queue.size(), next.isPacked(), config)
                && (!queue.enabled() || QueueSetup.isAligned(queue, next.isPacked()));
    }

    /** A device that stopped as virtio 1.4 demands has used every buffer that it has seen. */
    private boolean position(int index, ByteBuffer value) {
        if (value.remaining() != PackedVirtqueuePosition.BYTES) {
            return false;
        }
        PackedVirtqueuePosition position = PackedVirtqueuePosition.decode(value);
        next.position(index, position.avail());
        return position.avail() == position.used();
    }

    private boolean control(NetControl control, ByteBuffer value) {
        if (control != NetControl.ANNOUNCE_ACK && !PartsCapture.isThere(control, config, next.negotiated())) {
            return false;
        }
        return control == NetControl.VLAN_ADD
                ? next.controls.loadVlans(value)
                : next.controls.apply(control, value);
    }

    private void checkWhole() throws PartRefusedException {
        if (config.legacy() && next.isLegacy()) {
            checkLegacy();
        } else {
            checkNegotiation();
        }
        for (int queue = 0; queue < next.queues(); queue++) {
            if (!isUsable(next.queue(queue))) {
                throw new PartRefusedException("queue " + queue + " is none of the format that was negotiated");
            }
            settlePosition(queue);
        }
    }

    private void checkNegotiation() throws PartRefusedException {
        boolean negotiated = next.is(DeviceStatus.FEATURES_OK);
        if (negotiated && !Features.acceptable(config.features(), next.driverFeatures)) {
            throw new PartRefusedException("the driver's features 0x%x are not all offered by this device, with 0x%x"
                    .formatted(next.driverFeatures, config.features()));
        }
        if (!negotiated && next.is(DeviceStatus.DRIVER_OK)) {
            throw new PartRefusedException("the device status has DRIVER_OK without FEATURES_OK");
        }
        for (int queue = 0; queue < next.queues(); queue++) {
            if (!negotiated && next.queue(queue).enabled()) {
                throw new PartRefusedException("queue " + queue + " is enabled before FEATURES_OK");
            }
        }
    }

    /** In a split virtqueue guest memory says where the device is; in a packed one nothing does but the part. */
    private void settlePosition(int queue) throws PartRefusedException {
        VirtqueueConfig config = next.queue(queue);
        int position = next.position(queue);
        if (!next.isPacked() || !config.enabled()) {
            next.position(queue, Virtqueue.UNKNOWN);
        } else if (position == Virtqueue.UNKNOWN && next.is(DeviceStatus.DRIVER_OK)) {
            throw new PartRefusedException(("there is no part of type 0x%x for queue %d, so that nobody knows where "
                            + "the device is in this packed virtqueue; take the parts from a device that gives them")
                    .formatted(DevicePartType.PACKED_VQ_POSITION.number(), queue));
        } else if (position == Virtqueue.UNKNOWN) {
            // A device touches no queue before DRIVER_OK, so this one is where it began.
            next.position(queue, PackedVirtqueuePosition.INITIAL);
        } else if (PackedVirtqueuePosition.descriptor(position) >= config.size()) {
            throw new PartRefusedException("the position 0x%x is not in queue %d of size %d"
                    .formatted(position, queue, config.size()));
        }
    }

    /** A legacy driver has 32 bits to take features from, and nobody tells it that some do not go together. */
    private void checkLegacy() throws PartRefusedException {
        if ((next.negotiated() & ~config.features()) != 0) {
            throw new PartRefusedException("the features 0x%x of a legacy driver are not all offered to it, with 0x%x"
                    .formatted(next.negotiated(), config.features()));
        }
    }

    private static void check(boolean fine, DevicePart header, String otherwise) throws PartRefusedException {
        if (!fine) {
            throw new PartRefusedException("the device part of type 0x%x with selector 0x%x %s"
                    .formatted(header.type(), header.selector(), otherwise));
        }
    }
}
