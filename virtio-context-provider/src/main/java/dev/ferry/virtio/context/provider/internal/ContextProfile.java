// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.context.provider.internal;

import dev.ferry.device.DeviceException;
import dev.ferry.device.DeviceProfile;
import dev.ferry.device.DeviceProfile.Aspect;
import dev.ferry.device.DeviceProfile.Limits;
import dev.ferry.device.DeviceProfile.Names;
import dev.ferry.device.DeviceProfile.Trait;
import dev.ferry.device.Errno;
import dev.ferry.stream.RecordHeader;
import dev.ferry.virtio.VirtioFeature;
import dev.ferry.virtio.context.ContextField;
import dev.ferry.virtio.context.ContextFieldType;
import dev.ferry.virtio.driver.SessionDevice;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.Map;
import java.util.SortedSet;
import java.util.TreeMap;
import java.util.TreeSet;

/**
 * What the context of a member tells of it. A context may go to a larger device, so the destination has to offer what the
 * source offers, and to have as many queue pairs; nothing has to be equal.
 */
final class ContextProfile {

    /** More than a context of 65,535 queues takes. */
    private static final long MOST_BYTES = 64L << 20;

    private static final int NET_MAX_PAIRS_OFFSET = 8;

    private final List<Trait> traits = new ArrayList<>();

    private ContextProfile() {}

    /**
     * Reads the context once.
     *
     * @throws DeviceException as the device gives it
     */
    static DeviceProfile read(SessionDevice device) throws DeviceException {
        long size = device.imageSize();
        if (size > MOST_BYTES) {
            throw new DeviceException(Errno.EINVAL, "a device context of %d bytes makes no sense".formatted(size));
        }
        ByteBuffer context = ByteBuffer.allocate((int) size);
        device.captureImage(context);
        ContextProfile profile = new ContextProfile();
        profile.traits.add(new Names(
                Aspect.RECORDS,
                DeviceProfile.RECORD_TAGS,
                new TreeSet<>(List.of(Integer.toString(RecordHeader.TAG_DEVICE_CONTEXT)))));
        ContextField.forEach(context.flip(), profile::take);
        // The device has as much of each as its context shows, and takes no more.
        return new DeviceProfile(profile.traits, profile.traits);
    }

    private void take(ContextField.Located field) {
        if (field.header().is(ContextFieldType.DEV_FEATURES)) {
            traits.add(new Names(Aspect.FEATURES, "features of the context", names(BitSet.valueOf(field.value()))));
        } else if (field.header().is(ContextFieldType.DEV_CFG)
                && field.value().capacity() >= NET_MAX_PAIRS_OFFSET + Short.BYTES) {
            long pairs = Short.toUnsignedLong(field.value().getShort(NET_MAX_PAIRS_OFFSET));
            traits.add(new Limits(Aspect.QUEUES, "queue pairs", new TreeMap<>(Map.of("max_virtqueue_pairs", pairs))));
        }
    }

    private static SortedSet<String> names(BitSet bits) {
        SortedSet<String> names = new TreeSet<>();
        bits.stream().forEach(bit -> names.add(name(bit)));
        return names;
    }

    private static String name(int bit) {
        for (VirtioFeature feature : VirtioFeature.values()) {
            if (feature.bit() == bit) {
                return feature.name();
            }
        }
        return "bit " + bit;
    }
}
