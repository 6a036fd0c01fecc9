// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import dev.ferry.virtio.DevicePart;
import dev.ferry.virtio.DevicePartType;
import dev.ferry.virtio.DeviceStatus;
import dev.ferry.virtio.NetControl;
import dev.ferry.virtio.PackedVirtqueuePosition;
import dev.ferry.virtio.PciCommonConfig;
import dev.ferry.virtio.VirtioFeature;
import dev.ferry.virtio.VirtqueueConfig;
import dev.ferry.virtio.VirtqueueNotifyConfig;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Optional;
import java.util.function.LongFunction;

/** The values of device parts as a person reads them. Every value given here has passed {@link PartLayout}. */
final class PartValue {

    /** Entries of a table that are written out; a line has to end. */
    static final int MOST_SHOWN = 16;

    /** Feature bits that have names, each of which may be set; of more as many are written out. */
    private static final int FEATURE_BITS = Long.SIZE;

    private PartValue() {}

    /**
     * The value in words.
     *
     * @param value little-endian, position 0
     */
    static String of(DevicePartType type, DevicePart part, ByteBuffer value) {
        return switch (type) {
            case DEV_FEATURES, DRV_FEATURES -> features(value);
            case PCI_COMMON_CFG -> commonConfig(part, value);
            case DEVICE_STATUS -> status(Byte.toUnsignedInt(value.get(0)));
            case VQ_CFG -> queue(part, VirtqueueConfig.decode(value.slice()));
            case VQ_NOTIFY_CFG -> notification(part, VirtqueueNotifyConfig.decode(value.slice()));
            case NET_CVQ_CFG -> NetControl.ofSelector(part.selector())
                    .map(control -> control + named(net(control, value)))
                    .orElse("class " + (part.selector() & 0xFF) + " command " + (part.selector() >>> 8 & 0xFF));
            case PACKED_VQ_POSITION -> position(part, PackedVirtqueuePosition.decode(value.slice()));
        };
    }

    static String features(ByteBuffer value) {
        List<String> names = bits(
                value, FEATURE_BITS, bit -> bit < FEATURE_BITS ? VirtioFeature.nameOf((int) bit) : "bit" + bit);
        return names.isEmpty() ? "none" : String.join(" ", names);
    }

    /** The first bits that are set, so many at most, and how many more are; however long the value is. */
    static List<String> bits(ByteBuffer value, int most, LongFunction<String> name) {
        List<String> names = new ArrayList<>();
        long count = 0;
        for (int at = 0; at < value.capacity(); at++) {
            int bits = Byte.toUnsignedInt(value.get(at));
            count += Integer.bitCount(bits);
            for (; bits != 0 && names.size() < most; bits &= bits - 1) {
                names.add(name.apply((long) at * Byte.SIZE + Integer.numberOfTrailingZeros(bits)));
            }
        }
        return withRest(names, count);
    }

    private static String commonConfig(DevicePart part, ByteBuffer value) {
        Optional<PciCommonConfig> field = PciCommonConfig.at(part.selector());
        if (field.isEmpty()) {
            return "offset " + Long.toUnsignedString(part.selector());
        }
        long number = switch (field.get().size()) {
            case 1 -> Byte.toUnsignedLong(value.get(0));
            case 2 -> Short.toUnsignedLong(value.getShort(0));
            case 4 -> Integer.toUnsignedLong(value.getInt(0));
            default -> value.getLong(0);
        };
        return "%s = 0x%x".formatted(field.get().name().toLowerCase(Locale.ROOT), number);
    }

    static String status(int status) {
        Map<Integer, String> bits = new LinkedHashMap<>();
        bits.put(DeviceStatus.ACKNOWLEDGE, "ACKNOWLEDGE");
        bits.put(DeviceStatus.DRIVER, "DRIVER");
        bits.put(DeviceStatus.FEATURES_OK, "FEATURES_OK");
        bits.put(DeviceStatus.DRIVER_OK, "DRIVER_OK");
        bits.put(DeviceStatus.SUSPEND, "SUSPEND");
        bits.put(DeviceStatus.DEVICE_NEEDS_RESET, "DEVICE_NEEDS_RESET");
        bits.put(DeviceStatus.FAILED, "FAILED");
        List<String> names = new ArrayList<>();
        bits.forEach((bit, name) -> {
            if ((status & bit) != 0) {
                names.add(name);
            }
        });
        return names.isEmpty() ? "0x%02x".formatted(status) : "0x%02x %s".formatted(status, String.join(" ", names));
    }

    private static String queue(DevicePart part, VirtqueueConfig queue) {
        String vector = queue.vector() == VirtqueueConfig.NO_VECTOR ? "none" : Integer.toString(queue.vector());
        return "queue %d: size %d, vector %s, %s, desc 0x%x, driver 0x%x, device 0x%x"
                .formatted(
                        queueIndex(part),
                        queue.size(),
                        vector,
                        queue.enabled() ? "enabled" : "disabled",
                        queue.desc(),
                        queue.driver(),
                        queue.device());
    }

    private static String notification(DevicePart part, VirtqueueNotifyConfig notify) {
        return "queue %d: notify_off %d, notif_config_data %d"
                .formatted(queueIndex(part), notify.notifyOff(), notify.notifConfigData());
    }

    private static String position(DevicePart part, PackedVirtqueuePosition position) {
        return "queue %d: available %s, used %s"
                .formatted(queueIndex(part), position(position.avail()), position(position.used()));
    }

    private static String position(int position) {
        return "%d wrap %d"
                .formatted(
                        PackedVirtqueuePosition.descriptor(position),
                        PackedVirtqueuePosition.wrapCounter(position) ? 1 : 0);
    }

    private static int queueIndex(DevicePart part) {
        return (int) (part.selector() & 0xFFFF);
    }

    private static String net(NetControl control, ByteBuffer value) {
        return switch (control) {
            case RX_PROMISC, RX_ALLMULTI, RX_ALLUNI, RX_NOMULTI, RX_NOUNI, RX_NOBCAST ->
                    value.get(0) == 0 ? "off" : "on";
            case MAC_ADDR_SET -> mac(value, 0);
            case MAC_TABLE_SET -> macTables(value);
            case VLAN_ADD -> vlans(value);
            case MQ_VQ_PAIRS_SET -> Short.toUnsignedInt(value.getShort(0)) + " pairs";
            case MQ_RSS_CONFIG ->
                "hash types 0x%x, %d entries, unclassified to pair %d".formatted(
                        value.getInt(0),
                        Short.toUnsignedInt(value.getShort(PartLayout.RSS_MASK_OFFSET)) + 1,
                        value.getShort(PartLayout.RSS_UNCLASSIFIED_OFFSET) & PartLayout.RSS_PAIR_MASK);
            case MQ_HASH_CONFIG -> "hash types 0x%x".formatted(value.getInt(0));
            case ANNOUNCE_ACK, VLAN_DEL -> "";
        };
    }

    private static String named(String value) {
        return value.isEmpty() ? "" : " = " + value;
    }

    static String mac(ByteBuffer value, int offset) {
        StringBuilder text = new StringBuilder();
        for (int index = 0; index < PartLayout.MAC_BYTES; index++) {
            text.append(index == 0 ? "" : ":").append("%02x".formatted(value.get(offset + index)));
        }
        return text.toString();
    }

    private static String macTables(ByteBuffer value) {
        int unicast = value.getInt(0);
        int multicastOffset = Integer.BYTES + unicast * PartLayout.MAC_BYTES;
        return "unicast %s, multicast %s".formatted(macs(value, 0), macs(value, multicastOffset));
    }

    private static List<String> macs(ByteBuffer value, int tableOffset) {
        int count = value.getInt(tableOffset);
        List<String> macs = new ArrayList<>();
        for (int index = 0; index < Math.min(count, MOST_SHOWN); index++) {
            macs.add(mac(value, tableOffset + Integer.BYTES + index * PartLayout.MAC_BYTES));
        }
        return withRest(macs, count);
    }

    private static String vlans(ByteBuffer value) {
        int count = value.capacity() / PartLayout.VLAN_ID_BYTES;
        List<String> ids = new ArrayList<>();
        for (int index = 0; index < Math.min(count, MOST_SHOWN); index++) {
            ids.add(Integer.toString(Short.toUnsignedInt(value.getShort(index * PartLayout.VLAN_ID_BYTES))));
        }
        return withRest(ids, count).toString();
    }

    private static List<String> withRest(List<String> shown, long count) {
        if (count > shown.size()) {
            shown.add((count - shown.size()) + " more");
        }
        return shown;
    }
}
