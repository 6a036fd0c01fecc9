// SPDX-License-Identifier: Apache-2.0
package dev.ferry.stream.virtiovf.internal;

import dev.ferry.device.Errno;
import dev.ferry.stream.StreamException;
import dev.ferry.stream.StreamInspection.Part;
import dev.ferry.virtio.context.ContextField;
import dev.ferry.virtio.context.ContextFieldType;
import java.nio.ByteBuffer;
import java.util.List;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * Names the fields of one device context, and holds them to their order, their least lengths and the sum at the end.
 * For one image. Fields of unknown types are listed and not judged.
 */
final class DeviceContextDescription {

    private final int mostFields;
    private final boolean whole;
    private StreamException fault;
    private ContextFieldType last;
    private int lastQueue;

    /**
     * A description that ends with a fault behind {@code mostFields} fields.
     *
     * @param whole whether the image is there to its end; that the last field of one that is not is cut off is no fault
     */
    DeviceContextDescription(int mostFields, boolean whole) {
        this.mostFields = mostFields;
        this.whole = whole;
    }

    /**
     * Names the fields up to the first fault.
     *
     * @param image not changed
     * @param found takes the fields
     * @throws StreamException with an offset that counts from the start of the image
     */
    void describe(ByteBuffer image, List<Part> found) throws StreamException {
        try {
            ContextField.forEach(image, field -> add(field, image, found));
        } catch (StreamException e) {
            fault = fault == null && whole ? e : fault;
        }
        if (fault == null && whole && last != ContextFieldType.END) {
            fault = new StreamException(image.remaining(), Errno.EINVAL, "the device context has no END field");
        }
        if (fault != null) {
            throw fault;
        }
    }

    private void add(ContextField.Located field, ByteBuffer image, List<Part> found) {
        if (fault != null) {
            return;
        }
        if (found.size() >= mostFields) {
            fail(field, "there are more fields than are listed");
            return;
        }
        ContextField header = field.header();
        Optional<ContextFieldType> type = ContextFieldType.ofNumber(header.type());
        boolean tooShort = type.filter(known -> ContextValue.leastBytes(known) > header.length()).isPresent();
        found.add(new Part(
                field.offset(),
                header.type(),
                type.map(Enum::name).orElse("unknown"),
                header.flags(),
                type.filter(ContextFieldType::isOfQueue).isPresent() ? field.queueIndex() : 0,
                header.length(),
                type.isEmpty() || tooShort ? "" : ContextValue.of(type.get(), field.value())));
        if (tooShort) {
            fail(field, "a %s field has %d bytes, which is too short".formatted(type.get(), header.length()));
        }
        type.ifPresent(known -> judge(known, field, image));
    }

    private void judge(ContextFieldType type, ContextField.Located field, ByteBuffer image) {
        if (last == null && type != ContextFieldType.START) {
            fail(field, "the device context does not begin with a START field");
        } else if (last != null && !mayFollow(type, field.queueIndex())) {
            fail(field, "a %s field must not follow a %s field".formatted(type, last));
        } else if (type == ContextFieldType.END && fault == null) {
            CRC32 sum = new CRC32();
            sum.update(image.slice(image.position(), field.offset()));
            if ((int) sum.getValue() != field.value().getInt(0)) {
                fail(field, "the sum in the END field is not that of the device context");
            }
        }
        last = type;
        lastQueue = field.queueIndex();
    }

    private boolean mayFollow(ContextFieldType type, int queue) {
        return type.compareTo(last) > 0 || type == last && type.isOfQueue() && queue > lastQueue;
    }

    private void fail(ContextField.Located field, String message) {
        fault = fault == null ? new StreamException(field.offset(), Errno.EINVAL, message) : fault;
    }
}
