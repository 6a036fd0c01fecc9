// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import dev.ferry.device.Errno;
import dev.ferry.stream.StreamException;
import dev.ferry.stream.StreamInspection.Part;
import dev.ferry.virtio.DevicePart;
import dev.ferry.virtio.DevicePartType;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;

/**
 * Names the device parts of one image, and holds them to what virtio 1.4, section "Device parts", says about their
 * order and lengths. For one image.
 *
 * <p>Parts of unknown types are listed and not judged. A known part may be longer than its layout, since later versions
 * append fields; a shorter one is a fault.
 */
final class DevicePartsDescription {

    private final int mostParts;
    private final boolean whole;
    private StreamException fault;
    private DevicePartType last = DevicePartType.DEV_FEATURES;

    /**
     * A description that ends with a fault behind {@code mostParts} parts.
     *
     * @param whole whether the image is there to its end; of one that is not the parts that lie whole in it are named,
     *     and that the last is cut off is no fault of it
     */
    DevicePartsDescription(int mostParts, boolean whole) {
        this.mostParts = mostParts;
        this.whole = whole;
    }

    /**
     * Names the parts up to the first fault.
     *
     * @param image not changed
     * @param found takes the parts
     * @throws StreamException with an offset that counts from the start of the image
     */
    void describe(ByteBuffer image, List<Part> found) throws StreamException {
        try {
            DevicePart.forEach(image, part -> add(part, found));
        } catch (StreamException e) {
            fault = fault == null && whole ? e : fault;
        }
        if (fault != null) {
            throw fault;
        }
    }

    private void add(DevicePart.Located part, List<Part> found) {
        if (fault != null) {
            return;
        }
        if (found.size() >= mostParts) {
            fail(part, "there are more parts than are listed");
            return;
        }
        DevicePart header = part.header();
        Optional<DevicePartType> type = DevicePartType.ofNumber(header.type());
        Optional<String> lengthFault = type.flatMap(known -> PartLayout.fault(known, header, part.value()));
        String value = lengthFault.isPresent() || type.isEmpty() ? "" : PartValue.of(type.get(), header, part.value());
        found.add(new Part(
                part.offset(),
                header.type(),
                type.map(Enum::name).orElse("unknown"),
                header.flags(),
                header.selector(),
                header.length(),
                value));
        lengthFault.ifPresent(message -> fail(part, message));
        type.ifPresent(known -> requireOrder(known, part));
    }

    private void requireOrder(DevicePartType type, DevicePart.Located part) {
        if (type.compareTo(last) < 0) {
            fail(part, "a %s part must not follow a %s part".formatted(type, last));
        }
        last = type;
    }

    private void fail(DevicePart.Located part, String message) {
        fault = fault == null ? new StreamException(part.offset(), Errno.EINVAL, message) : fault;
    }
}
