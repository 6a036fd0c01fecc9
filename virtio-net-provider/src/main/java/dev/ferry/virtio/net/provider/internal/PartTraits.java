// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.net.provider.internal;

import dev.ferry.device.DeviceProfile;
import dev.ferry.device.DeviceProfile.Aspect;
import dev.ferry.device.DeviceProfile.Exact;
import dev.ferry.device.DeviceProfile.Limits;
import dev.ferry.device.DeviceProfile.Names;
import dev.ferry.device.DeviceProfile.Trait;
import dev.ferry.stream.RecordHeader;
import dev.ferry.virtio.DevicePart;
import dev.ferry.virtio.DevicePartType;
import dev.ferry.virtio.DeviceStatus;
import dev.ferry.virtio.NetControl;
import dev.ferry.virtio.VirtioFeature;
import dev.ferry.virtio.VirtqueueConfig;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Optional;
import java.util.OptionalInt;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What the device parts of a virtio-net member mean for a comparison with another one.
 *
 * <p>Offered features must be equal, as a device verifies them and takes no others. What the driver took must be
 * offered. Each part that is not optional must exist at the destination, with its length where that is fixed; parts of
 * control commands exist only while the driver has taken their feature, so there the offer counts. A queue may be no
 * larger than that of the destination, whose size is known as long as no driver has made it smaller.
 */
final class PartTraits {

    /** Twice the features that any device has today. */
    static final int MOST_FEATURE_BYTES = 32;

    private static final String OFFERED = "offered features";
    private static final String NEGOTIATED = "negotiated features";
    private static final String PARTS = "device parts";
    private static final String QUEUES = "number of queues";
    private static final String QUEUE_SIZE = "queue size";

    private final List<DevicePart> headers;
    private Optional<BitSet> offered = Optional.empty();
    private Optional<BitSet> driver = Optional.empty();
    private OptionalInt status = OptionalInt.empty();
    private OptionalInt queues = OptionalInt.empty();
    private final TreeMap<String, Long> queueSizes = new TreeMap<>();

    /**
     * The meaning of parts.
     *
     * @param headers of all parts
     * @param values those of features, status and queues that are among them
     */
    PartTraits(List<DevicePart> headers, List<DevicePart.Located> values) {
        this.headers = headers;
        values.forEach(this::take);
    }

    private void take(DevicePart.Located part) {
        ByteBuffer value = part.value();
        DevicePart header = part.header();
        Optional<DevicePartType> type = DevicePartType.ofNumber(header.type());
        if (type.isEmpty()) {
            return;
        }
        switch (type.get()) {
            case DEV_FEATURES -> offered = Optional.of(BitSet.valueOf(value));
            case DRV_FEATURES -> driver = Optional.of(BitSet.valueOf(value));
            case DEVICE_STATUS -> status = value.hasRemaining()
                    ? OptionalInt.of(Byte.toUnsignedInt(value.get()))
                    : OptionalInt.empty();
            case PCI_COMMON_CFG -> {
                if (PartsProfile.isNumberOfQueues(header)) {
                    queues = OptionalInt.of(Short.toUnsignedInt(value.getShort()));
                }
            }
            case VQ_CFG -> {
                if (header.length() == VirtqueueConfig.BYTES) {
                    queueSizes.put("queue " + header.selector(), (long) VirtqueueConfig.decode(value).size());
                }
            }
            case VQ_NOTIFY_CFG, NET_CVQ_CFG, PACKED_VQ_POSITION -> {
                // Asked for by nobody.
            }
        }
    }

    /** What the parts ask for, and what a device with such parts takes. */
    DeviceProfile profile() {
        List<Trait> asks = new ArrayList<>();
        List<Trait> takes = new ArrayList<>();
        both(asks, takes, new Names(Aspect.RECORDS, DeviceProfile.RECORD_TAGS, ownTag()));
        offered.ifPresent(bits -> {
            both(asks, takes, new Exact(Aspect.FEATURES, OFFERED, names(bits)));
            takes.add(new Names(Aspect.FEATURES, NEGOTIATED, names(bits)));
        });
        driver.filter(bits -> isNegotiated())
                .ifPresent(bits -> asks.add(new Names(Aspect.FEATURES, NEGOTIATED, names(bits))));
        asks.add(new Names(Aspect.PARTS, PARTS, mandatoryParts()));
        takes.add(new Names(Aspect.PARTS, PARTS, takenParts()));
        queues.ifPresent(number ->
                both(asks, takes, Exact.of(Aspect.QUEUES, QUEUES, Integer.toString(number))));
        asks.add(new Limits(Aspect.QUEUES, QUEUE_SIZE, queueSizes));
        if (status.isPresent() && status.getAsInt() == 0) {
            takes.add(new Limits(Aspect.QUEUES, QUEUE_SIZE, queueSizes));
        }
        return new DeviceProfile(asks, takes);
    }

    private static void both(List<Trait> asks, List<Trait> takes, Trait trait) {
        asks.add(trait);
        takes.add(trait);
    }

    private static SortedSet<String> ownTag() {
        return new TreeSet<>(List.of(Integer.toString(RecordHeader.TAG_DEVICE_DATA)));
    }

    private boolean isNegotiated() {
        return status.isEmpty() || (status.getAsInt() & DeviceStatus.FEATURES_OK) != 0;
    }

    private SortedSet<String> mandatoryParts() {
        SortedSet<String> names = new TreeSet<>();
        headers.stream().filter(header -> !header.isOptional()).forEach(header -> names.add(name(header)));
        return names;
    }

    private SortedSet<String> takenParts() {
        SortedSet<String> names = new TreeSet<>();
        headers.forEach(header -> names.add(name(header)));
        for (NetControl control : NetControl.values()) {
            if (offered.isEmpty() || isOffered(control)) {
                names.add(controlName(control.selector()));
            }
        }
        return names;
    }

    private boolean isOffered(NetControl control) {
        return switch (control) {
            case RX_PROMISC, RX_ALLMULTI, MAC_TABLE_SET -> has(VirtioFeature.NET_CTRL_RX);
            case RX_ALLUNI, RX_NOMULTI, RX_NOUNI, RX_NOBCAST -> has(VirtioFeature.NET_CTRL_RX_EXTRA);
            case MAC_ADDR_SET -> has(VirtioFeature.NET_CTRL_MAC_ADDR) || has(VirtioFeature.NET_MAC);
            case VLAN_ADD, VLAN_DEL -> has(VirtioFeature.NET_CTRL_VLAN);
            case ANNOUNCE_ACK -> has(VirtioFeature.NET_GUEST_ANNOUNCE);
            case MQ_VQ_PAIRS_SET -> has(VirtioFeature.NET_MQ);
            case MQ_RSS_CONFIG -> has(VirtioFeature.NET_RSS);
            case MQ_HASH_CONFIG -> has(VirtioFeature.NET_HASH_REPORT);
        };
    }

    private boolean has(VirtioFeature feature) {
        return offered.filter(bits -> bits.get(feature.bit())).isPresent();
    }

    /** Type and selector; the length as well, where a device takes no other. */
    static String name(DevicePart header) {
        Optional<DevicePartType> type = DevicePartType.ofNumber(header.type());
        if (type.isEmpty()) {
            return "type 0x%x, selector 0x%x".formatted(header.type(), header.selector());
        }
        return switch (type.get()) {
            case DEV_FEATURES, DRV_FEATURES, DEVICE_STATUS -> "%s of %d bytes".formatted(type.get(), header.length());
            case PCI_COMMON_CFG ->
                "%s field %d of %d bytes".formatted(type.get(), header.selector(), header.length());
            case VQ_CFG, VQ_NOTIFY_CFG, PACKED_VQ_POSITION ->
                "%s of queue %d of %d bytes".formatted(type.get(), header.selector(), header.length());
            case NET_CVQ_CFG -> controlName(header.selector());
        };
    }

    private static String controlName(long selector) {
        return NetControl.ofSelector(selector)
                .map(control -> "NET_CVQ_CFG " + control)
                .orElseGet(() -> "NET_CVQ_CFG selector 0x%x".formatted(selector));
    }

    private static SortedSet<String> names(BitSet bits) {
        SortedSet<String> names = new TreeSet<>();
        bits.stream().forEach(bit -> names.add(VirtioFeature.nameOf(bit)));
        return names;
    }
}
