// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.stream.StreamException;
import dev.ferry.virtio.context.ContextField;
import dev.ferry.virtio.context.ContextFieldType;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.EnumMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.zip.CRC32;

/**
 * The fields of one device context, whose form is right: a START and an END with the right sum, known types in order,
 * each once or once per queue, of the length that their type has. Immutable.
 */
final class ContextFields {

    private final Map<ContextFieldType, List<ContextField.Located>> fields = new EnumMap<>(ContextFieldType.class);

    private ContextFields() {}

    /**
     * Reads a context.
     *
     * @param context not changed
     * @param config of the device, which says what is known
     * @throws FieldRefusedException for the first field that is wrong
     */
    static ContextFields read(ByteBuffer context, FunctionConfig config) throws FieldRefusedException {
        List<ContextField.Located> all = new ArrayList<>();
        try {
            ContextField.forEach(context, all::add);
        } catch (StreamException e) {
            throw new FieldRefusedException(ContextFieldType.END, "is missing: " + e.getMessage());
        }
        ContextFields read = new ContextFields();
        ContextField.Located last = null;
        for (ContextField.Located field : all) {
            last = read.add(field, last, config) ? field : last;
        }
        read.requireEnds(context);
        return read;
    }

    /** The one field of a type. */
    Optional<ByteBuffer> find(ContextFieldType type) {
        return ofType(type).stream().findFirst().map(ContextField.Located::value);
    }

    /**
     * The one field of a type that must be there.
     *
     * @throws FieldRefusedException when it is not
     */
    ByteBuffer require(ContextFieldType type) throws FieldRefusedException {
        return find(type).orElseThrow(() -> new FieldRefusedException(type, "is missing"));
    }

    /** All fields of a type, by queue. */
    List<ContextField.Located> ofType(ContextFieldType type) {
        return fields.getOrDefault(type, List.of());
    }

    /** Takes a field; false for one that is skipped. */
    private boolean add(ContextField.Located field, ContextField.Located last, FunctionConfig config)
            throws FieldRefusedException {
        ContextField header = field.header();
        Optional<ContextFieldType> type = ContextFieldType.ofNumber(header.type())
                .filter(known -> ContextCapture.isKnown(known, config));
        if (type.isEmpty()) {
            if (!header.isOptional()) {
                throw new FieldRefusedException(
                        header.type(),
                        "the field %s is not known to this device, and not optional"
                                .formatted(ContextFieldType.ofNumber(header.type())
                                        .map(Enum::name)
                                        .orElse("of type 0x%04x".formatted(header.type()))));
            }
            return false;
        }
        int queue = type.get().isOfQueue() ? field.queueIndex() : 0;
        if (!type.get().isVariable() && header.length() != type.get().valueBytes()) {
            throw new FieldRefusedException(
                    type.get(), queue, "has %d bytes, not %d".formatted(header.length(), type.get().valueBytes()));
        }
        if (last == null && type.get() != ContextFieldType.START) {
            throw new FieldRefusedException(
                    ContextFieldType.START, "is missing: the context begins with " + type.get());
        }
        if (last != null && !mayFollow(type.get(), queue, last)) {
            throw new FieldRefusedException(type.get(), queue, "comes twice, or after one that must follow it");
        }
        fields.computeIfAbsent(type.get(), any -> new ArrayList<>()).add(field);
        return true;
    }

    private static boolean mayFollow(ContextFieldType type, int queue, ContextField.Located last) {
        return type.number() > last.header().type()
                || type.number() == last.header().type() && type.isOfQueue() && queue > last.queueIndex();
    }

    private void requireEnds(ByteBuffer context) throws FieldRefusedException {
        ByteBuffer start = require(ContextFieldType.START);
        if (start.getInt(0) != ContextFieldType.START_MAGIC
                || start.getShort(ContextFieldType.START_VERSION_OFFSET) != ContextFieldType.START_VERSION) {
            throw new FieldRefusedException(ContextFieldType.START, "is of another format or version");
        }
        if (start.getShort(ContextFieldType.START_DEVICE_ID_OFFSET) != ContextCapture.DEVICE_ID_NET) {
            throw new FieldRefusedException(ContextFieldType.START, "is of another type of device");
        }
        int sum = require(ContextFieldType.END).getInt(0);
        CRC32 crc = new CRC32();
        crc.update(context.slice(context.position(), ofType(ContextFieldType.END).get(0).offset()));
        if (sum != (int) crc.getValue()) {
            throw new FieldRefusedException(ContextFieldType.END, "has a sum that is not the context's");
        }
    }
}
