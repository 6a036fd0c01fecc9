// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import static dev.ferry.emulator.internal.net.FieldRefusedException.check;

import dev.ferry.virtio.DeviceStatus;
import dev.ferry.virtio.NetControl;
import dev.ferry.virtio.PciCommonConfig;
import dev.ferry.virtio.context.ContextFieldType;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Optional;

/**
 * Makes a new state of a device context. The state the device has is not touched, so that a refusal leaves no trace.
 *
 * <p>The device composes itself as the context describes it: it offers the features and shows the queue pairs of the
 * device that the driver knows, as long as it has them itself; the control queue, for one, lies behind all pairs that
 * the driver sees. So a context loads into a larger device, and into a smaller one as far as it fits there.
 */
final class ContextLoader {

    private static final int MAX_PAIRS_OFFSET = DeviceConfigRegisters.MAX_VIRTQUEUE_PAIRS_OFFSET;

    private final FunctionConfig own;
    private final ContextFields fields;
    private final FunctionConfig config;
    private final VirtioState next;

    private ContextLoader(FunctionConfig own, ContextFields fields) throws FieldRefusedException {
        this.own = own;
        this.fields = fields;
        this.config = compose();
        this.next = new VirtioState(config);
    }

    /**
     * The device that a context describes.
     *
     * @param context not changed
     * @param own what the device was made with
     * @throws FieldRefusedException for the first field that cannot be taken
     */
    static LoadedContext load(ByteBuffer context, FunctionConfig own) throws FieldRefusedException {
        ContextLoader loader = new ContextLoader(own, ContextFields.read(context, own));
        loader.features();
        loader.commonConfig();
        loader.status();
        new ContextQueues(own, loader.config, loader.next).load(loader.fields);
        loader.controls();
        boolean announcing = loader.deviceConfig();
        return new LoadedContext(loader.config, loader.next, loader.kicks(), announcing);
    }

    private FunctionConfig compose() throws FieldRefusedException {
        long offered = word(ContextFieldType.DEV_FEATURES);
        check(
                (offered & ~own.features()) == 0,
                ContextFieldType.DEV_FEATURES,
                "has the features 0x%x that this device, with 0x%x, does not offer"
                        .formatted(offered & ~own.features(), own.features()));
        ByteBuffer device = fields.require(ContextFieldType.DEV_CFG);
        check(
                device.capacity() == DeviceConfigRegisters.BYTES,
                ContextFieldType.DEV_CFG,
                "has %d bytes, not %d".formatted(device.capacity(), DeviceConfigRegisters.BYTES));
        int pairs = Short.toUnsignedInt(device.getShort(MAX_PAIRS_OFFSET));
        check(
                pairs <= own.queuePairs(),
                ContextFieldType.DEV_CFG,
                "has %d queue pairs but this device has %d".formatted(pairs, own.queuePairs()));
        try {
            return new FunctionConfig(own.id(), own.mac(), pairs, own.queueSize(), offered, own.legacy());
        } catch (IllegalArgumentException e) {
            throw new FieldRefusedException(ContextFieldType.DEV_FEATURES, "describes no device: " + e.getMessage());
        }
    }

    private void features() throws FieldRefusedException {
        next.driverFeatures = word(ContextFieldType.DRV_FEATURES);
    }

    private long word(ContextFieldType type) throws FieldRefusedException {
        return fields.require(type).getLong(0);
    }

    private void commonConfig() throws FieldRefusedException {
        ByteBuffer image = fields.require(ContextFieldType.PCI_COMMON_CFG);
        next.deviceFeatureSelect = image.getInt(PciCommonConfig.DEVICE_FEATURE_SELECT.offset());
        next.driverFeatureSelect = image.getInt(PciCommonConfig.DRIVER_FEATURE_SELECT.offset());
        next.configVector = u16(image, PciCommonConfig.CONFIG_MSIX_VECTOR);
        next.configGeneration = Byte.toUnsignedInt(image.get(PciCommonConfig.CONFIG_GENERATION.offset()));
        next.queueSelect = u16(image, PciCommonConfig.QUEUE_SELECT);
        check(
                u16(image, PciCommonConfig.NUM_QUEUES) == config.queues(),
                ContextFieldType.PCI_COMMON_CFG,
                "has %d queues, not the %d of such a device"
                        .formatted(u16(image, PciCommonConfig.NUM_QUEUES), config.queues()));
        check(
                QueueSetup.isVectorOrNone(next.configVector, own),
                ContextFieldType.PCI_COMMON_CFG,
                "has an MSI-X vector that this device has not");
    }

    private static int u16(ByteBuffer image, PciCommonConfig field) {
        return Short.toUnsignedInt(image.getShort(field.offset()));
    }

    private void status() throws FieldRefusedException {
        next.status = Byte.toUnsignedInt(
                fields.require(ContextFieldType.DEV_STATUS).get(0));
        check(
                (next.status & ~PartsLoader.KNOWN_STATUS) == 0,
                ContextFieldType.DEV_STATUS,
                "has bits that this device does not know");
        boolean negotiated = next.is(DeviceStatus.FEATURES_OK);
        check(
                negotiated || !next.is(DeviceStatus.DRIVER_OK),
                ContextFieldType.DEV_STATUS,
                "has DRIVER_OK without FEATURES_OK");
        check(
                !negotiated || Features.acceptable(config.features(), next.driverFeatures),
                ContextFieldType.DRV_FEATURES,
                "has features that are not offered, or that lack one they require");
    }

    private void controls() throws FieldRefusedException {
        NetControls controls = next.controls;
        if (isThere(ContextFieldType.NET_RX_MODE)) {
            ByteBuffer modes = fields.require(ContextFieldType.NET_RX_MODE);
            for (int i = 0; i < ContextCapture.RX_MODES.size(); i++) {
                check(
                        controls.apply(ContextCapture.RX_MODES.get(i), modes.slice(i, 1)),
                        ContextFieldType.NET_RX_MODE,
                        "has a mode that is neither 0 nor 1");
            }
        }
        if (isThere(ContextFieldType.NET_MAC)) {
            check(
                    controls.loadAddresses(fields.require(ContextFieldType.NET_MAC)),
                    ContextFieldType.NET_MAC,
                    "has tables of another length, or more than %d addresses"
                            .formatted(AddressTables.MAX_ENTRIES));
        }
        if (isThere(ContextFieldType.NET_VLAN)) {
            controls.loadVlanBitmap(fields.require(ContextFieldType.NET_VLAN));
        }
        if (isThere(ContextFieldType.NET_MQ)) {
            ByteBuffer pairs = fields.require(ContextFieldType.NET_MQ);
            check(
                    controls.apply(NetControl.MQ_VQ_PAIRS_SET, little(pairs.slice(0, Short.BYTES))),
                    ContextFieldType.NET_MQ,
                    "has more queue pairs than there are, or none");
        }
        Optional<ByteBuffer> hashing = fields.find(ContextFieldType.NET_RSS);
        if (hashing.isPresent()) {
            check(
                    hashing(hashing.get()),
                    ContextFieldType.NET_RSS,
                    "has a command or data that this device cannot take");
        }
    }

    /** Whether a field must be there; one that is there without need is looked at as well. */
    private boolean isThere(ContextFieldType type) {
        return ContextCapture.isThere(type, config, next.negotiated())
                || fields.find(type).isPresent();
    }

    private boolean hashing(ByteBuffer value) {
        if (value.capacity() < ContextCapture.RSS_DATA_OFFSET) {
            return false;
        }
        NetControl command = value.get(0) == NetControl.MQ_RSS_CONFIG.command()
                ? NetControl.MQ_RSS_CONFIG
                : NetControl.MQ_HASH_CONFIG;
        return value.get(0) == command.command()
                && NetControls.isPermitted(command, next.negotiated())
                && next.controls.apply(
                        command,
                        little(value.slice(
                                ContextCapture.RSS_DATA_OFFSET, value.capacity() - ContextCapture.RSS_DATA_OFFSET)));
    }

    /** Checks that the configuration is the one of the composed device; says whether it announces. */
    private boolean deviceConfig() throws FieldRefusedException {
        ByteBuffer given = fields.require(ContextFieldType.DEV_CFG);
        byte[] bytes = new byte[given.capacity()];
        given.duplicate().get(bytes);
        boolean announcing = DeviceConfigRegisters.isAnnouncing(given);
        if (!isThere(ContextFieldType.NET_MAC)) {
            next.controls.apply(NetControl.MAC_ADDR_SET, given.slice(0, FunctionConfig.MAC_BYTES));
        }
        byte[] composed = DeviceConfigRegisters.bytes(config, next.controls.mac(), announcing);
        check(
                Arrays.equals(composed, bytes),
                ContextFieldType.DEV_CFG,
                "is not the configuration of a device that this one can be");
        return announcing;
    }

    private BitSet kicks() throws FieldRefusedException {
        ByteBuffer words = fields.find(ContextFieldType.VQ_PENDING_KICK).orElse(ByteBuffer.allocate(0));
        BitSet kicks = BitSet.valueOf(words.duplicate());
        check(
                words.capacity() % Long.BYTES == 0 && kicks.length() <= config.queues(),
                ContextFieldType.VQ_PENDING_KICK,
                "has no whole words, or queues that this device has not");
        return kicks;
    }

    private static ByteBuffer little(ByteBuffer slice) {
        return slice.order(ByteOrder.LITTLE_ENDIAN);
    }
}
