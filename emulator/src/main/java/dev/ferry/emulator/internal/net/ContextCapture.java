// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.virtio.NetControl;
import dev.ferry.virtio.PciCommonConfig;
import dev.ferry.virtio.VirtioFeature;
import dev.ferry.virtio.context.ContextField;
import dev.ferry.virtio.context.ContextFieldType;
import dev.ferry.virtio.context.ContextLayout;
import dev.ferry.virtio.context.PackedRunContext;
import dev.ferry.virtio.context.QueueContext;
import dev.ferry.virtio.context.SplitRunContext;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;

/** Makes a device context of a device, in table order. Guarded by the function's lock. */
final class ContextCapture {

    /** Virtio device id of a network device. */
    static final int DEVICE_ID_NET = 1;

    /** Receive modes as NET_RX_MODE has them. */
    static final List<NetControl> RX_MODES = List.of(
            NetControl.RX_PROMISC,
            NetControl.RX_ALLMULTI,
            NetControl.RX_ALLUNI,
            NetControl.RX_NOMULTI,
            NetControl.RX_NOUNI,
            NetControl.RX_NOBCAST);

    /** Offset of n_uni in NET_MAC. */
    static final int MAC_UNICAST_OFFSET = 8;
    /** Offset of n_multi in NET_MAC. */
    static final int MAC_MULTICAST_OFFSET = 12;
    /** Offset of the tables in NET_MAC. */
    static final int MAC_TABLES_OFFSET = 16;
    /** Offset of the data of the command in NET_RSS. */
    static final int RSS_DATA_OFFSET = 8;

    private final NetDevice device;
    private final FunctionConfig config;
    private final VirtioState state;
    private final ByteBuffer context;

    private ContextCapture(NetDevice device) {
        this.device = device;
        this.config = device.config();
        this.state = device.state();
        this.context = ByteBuffer.allocate(maxSize(config)).order(ByteOrder.LITTLE_ENDIAN);
    }

    /** The whole context, from position to limit. */
    static ByteBuffer capture(NetDevice device) {
        ContextCapture capture = new ContextCapture(device);
        capture.device();
        capture.queues();
        capture.controls();
        capture.end();
        return capture.context.flip();
    }

    /** The most bytes of the context of a function. */
    static int maxSize(FunctionConfig config) {
        int size = 0;
        for (ContextFieldType type : ContextFieldType.values()) {
            if (isKnown(type, config)) {
                int most = (int) new ContextField(0, 0, maxValueBytes(type, config)).fieldBytes();
                size += type.isOfQueue() ? most * config.queues() : most;
            }
        }
        return size;
    }

    /** The entries of FIELDS_QUERY. */
    static ByteBuffer fields(FunctionConfig config) {
        ContextFieldType[] types = ContextFieldType.values();
        ByteBuffer entries = ByteBuffer.allocate(types.length * ContextLayout.FIELD_ENTRY_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN);
        for (ContextFieldType type : types) {
            if (isKnown(type, config)) {
                boolean variable = type == ContextFieldType.VQ_PENDING_KICK
                        || type == ContextFieldType.NET_MAC
                        || type == ContextFieldType.NET_RSS;
                entries.putInt(type.number())
                        .putInt(variable ? ContextLayout.VARIABLE_LENGTH : maxValueBytes(type, config));
            }
        }
        return entries.flip();
    }

    /** Whether a function can have a field. */
    static boolean isKnown(ContextFieldType type, FunctionConfig config) {
        long offered = config.features();
        return switch (type) {
            case START,
                    DEV_FEATURES,
                    DRV_FEATURES,
                    PCI_COMMON_CFG,
                    DEV_CFG,
                    DEV_STATUS,
                    VQ_CFG,
                    VQ_SPLIT_RUN,
                    VQ_PENDING_KICK,
                    END ->
                true;
            case VQ_PACKED_RUN -> VirtioFeature.RING_PACKED.isIn(offered);
            case NET_OFFLOADS -> false;
            case NET_RX_MODE, NET_MAC, NET_VLAN, NET_MQ, NET_RSS -> isThere(type, config, offered);
        };
    }

    /** Whether the context has a field of the network device, with features that the driver took. */
    static boolean isThere(ContextFieldType type, FunctionConfig config, long negotiated) {
        return switch (type) {
            case NET_RX_MODE -> VirtioFeature.NET_CTRL_RX.isIn(negotiated);
            case NET_MAC ->
                VirtioFeature.NET_CTRL_RX.isIn(negotiated) || VirtioFeature.NET_MAC.isIn(config.features());
            case NET_VLAN -> VirtioFeature.NET_CTRL_VLAN.isIn(negotiated);
            case NET_MQ -> VirtioFeature.NET_MQ.isIn(negotiated);
            case NET_RSS ->
                VirtioFeature.NET_RSS.isIn(negotiated) || VirtioFeature.NET_HASH_REPORT.isIn(negotiated);
            default -> throw new IllegalArgumentException(type + " is no field of the network device");
        };
    }

    private static int maxValueBytes(ContextFieldType type, FunctionConfig config) {
        return switch (type) {
            case DEV_CFG -> DeviceConfigRegisters.BYTES;
            case VQ_SPLIT_RUN -> SplitRunContext.HEAD_BYTES;
            case VQ_PENDING_KICK -> kickBytes(config);
            case NET_MAC -> MAC_TABLES_OFFSET + AddressTables.MAX_ENTRIES * FunctionConfig.MAC_BYTES;
            case NET_RSS -> RSS_DATA_OFFSET
                    + Math.max(
                            NetControls.maxValueBytes(NetControl.MQ_RSS_CONFIG),
                            NetControls.maxValueBytes(NetControl.MQ_HASH_CONFIG));
            default -> type.valueBytes();
        };
    }

    private static int kickBytes(FunctionConfig config) {
        return (config.queues() + Long.SIZE - 1) / Long.SIZE * Long.BYTES;
    }

    private void device() {
        put(
                ContextFieldType.START,
                value(ContextFieldType.START)
                        .putInt(0, ContextFieldType.START_MAGIC)
                        .putShort(ContextFieldType.START_VERSION_OFFSET, (short) ContextFieldType.START_VERSION)
                        .putShort(ContextFieldType.START_DEVICE_ID_OFFSET, (short) DEVICE_ID_NET));
        put(ContextFieldType.DEV_FEATURES, value(ContextFieldType.DEV_FEATURES).putLong(0, config.features()));
        put(ContextFieldType.DRV_FEATURES, value(ContextFieldType.DRV_FEATURES).putLong(0, state.driverFeatures));
        put(ContextFieldType.PCI_COMMON_CFG, commonConfig());
        put(ContextFieldType.DEV_CFG, ByteBuffer.wrap(DeviceConfigRegisters.bytes(device)));
        put(ContextFieldType.DEV_STATUS, value(ContextFieldType.DEV_STATUS).put(0, (byte) state.status));
    }

    private ByteBuffer commonConfig() {
        CommonConfigRegisters registers = new CommonConfigRegisters(device);
        ByteBuffer image = value(ContextFieldType.PCI_COMMON_CFG);
        for (PciCommonConfig field : PciCommonConfig.values()) {
            if (field.offset() < PciCommonConfig.QUEUE_SIZE.offset()
                    || field.offset() > PciCommonConfig.QUEUE_RESET.offset()) {
                long bytes = registers.read(field.offset(), field.size());
                for (int i = 0; i < field.size(); i++) {
                    image.put(field.offset() + i, (byte) (bytes >>> i * Byte.SIZE));
                }
            }
        }
        return image;
    }

    private void queues() {
        BitSet enabled = new BitSet();
        for (int queue = 0; queue < config.queues(); queue++) {
            if (state.queue(queue).enabled()) {
                enabled.set(queue);
                put(ContextFieldType.VQ_CFG, new QueueContext(queue, state.queue(queue), queue, 0, 0).encode());
            }
        }
        enabled.stream().forEach(queue -> {
            int position = state.position(queue);
            if (state.isPacked()) {
                put(ContextFieldType.VQ_PACKED_RUN, new PackedRunContext(queue, position, position).encode());
            } else {
                put(
                        ContextFieldType.VQ_SPLIT_RUN,
                        new SplitRunContext(queue, position, position, List.of()).encode());
            }
        });
        BitSet kicks = device.pendingKicks();
        if (!kicks.isEmpty()) {
            ByteBuffer words = ByteBuffer.allocate(kickBytes(config)).put(0, kicks.toByteArray());
            ContextField.put(context, ContextFieldType.VQ_PENDING_KICK, ContextField.FLAG_OPTIONAL, words);
        }
    }

    private void controls() {
        NetControls controls = state.controls;
        if (isThere(ContextFieldType.NET_RX_MODE, config, state.negotiated())) {
            ByteBuffer modes = value(ContextFieldType.NET_RX_MODE);
            RX_MODES.forEach(mode -> modes.put((byte) (controls.isOn(mode) ? 1 : 0)));
            put(ContextFieldType.NET_RX_MODE, modes.rewind());
        }
        if (isThere(ContextFieldType.NET_MAC, config, state.negotiated())) {
            put(ContextFieldType.NET_MAC, addresses(controls));
        }
        if (isThere(ContextFieldType.NET_VLAN, config, state.negotiated())) {
            put(ContextFieldType.NET_VLAN, value(ContextFieldType.NET_VLAN).put(0, controls.vlans().bitmap()));
        }
        if (isThere(ContextFieldType.NET_MQ, config, state.negotiated())) {
            put(
                    ContextFieldType.NET_MQ,
                    value(ContextFieldType.NET_MQ)
                            .putShort(0, (short) controls.multiqueue().pairs()));
        }
        hashing(controls).ifPresent(command -> {
            byte[] data = controls.value(command);
            ByteBuffer value = ByteBuffer.allocate(RSS_DATA_OFFSET + data.length)
                    .put(0, (byte) command.command())
                    .put(RSS_DATA_OFFSET, data);
            ContextField.put(context, ContextFieldType.NET_RSS, ContextField.FLAG_OPTIONAL, value);
        });
    }

    /** The command that configured hashes: with VIRTIO_NET_F_RSS that of RSS counts, whatever else is configured. */
    private Optional<NetControl> hashing(NetControls controls) {
        NetControl command = state.has(VirtioFeature.NET_RSS) ? NetControl.MQ_RSS_CONFIG : NetControl.MQ_HASH_CONFIG;
        return Optional.of(command)
                .filter(any -> NetControls.isPermitted(command, state.negotiated()))
                .filter(controls::isConfigured);
    }

    private static ByteBuffer addresses(NetControls controls) {
        long[] unicast = controls.tables().unicast();
        long[] multicast = controls.tables().multicast();
        ByteBuffer value = ByteBuffer.allocate(
                        MAC_TABLES_OFFSET + (unicast.length + multicast.length) * FunctionConfig.MAC_BYTES)
                .order(ByteOrder.LITTLE_ENDIAN)
                .put(0, controls.mac())
                .putInt(MAC_UNICAST_OFFSET, unicast.length)
                .putInt(MAC_MULTICAST_OFFSET, multicast.length)
                .position(MAC_TABLES_OFFSET);
        for (long address : unicast) {
            Ethernet.putAddress(value, address);
        }
        for (long address : multicast) {
            Ethernet.putAddress(value, address);
        }
        return value.rewind();
    }

    private void end() {
        CRC32 sum = new CRC32();
        sum.update(context.duplicate().flip());
        put(ContextFieldType.END, value(ContextFieldType.END).putInt(0, (int) sum.getValue()));
    }

    private static ByteBuffer value(ContextFieldType type) {
        return ByteBuffer.allocate(type.valueBytes()).order(ByteOrder.LITTLE_ENDIAN);
    }

    private void put(ContextFieldType type, ByteBuffer value) {
        ContextField.put(context, type, 0, value);
    }
}
