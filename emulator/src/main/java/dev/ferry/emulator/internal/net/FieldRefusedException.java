// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.net;

import dev.ferry.virtio.context.ContextFieldType;
import dev.ferry.virtio.context.ContextLayout;

/** A device context cannot be taken; nothing of it is. */
final class FieldRefusedException extends Exception {
    private static final long serialVersionUID = 1L;

    private final int output;

    /** Because of a field of the device, whose type may be unknown. */
    FieldRefusedException(int type, String message) {
        super(message);
        this.output = ContextLayout.refusedField(type, 0);
    }

    /** Because of a field of the device. */
    FieldRefusedException(ContextFieldType type, String message) {
        this(type, 0, message);
    }

    /** Because of a field of a queue. */
    FieldRefusedException(ContextFieldType type, int index, String message) {
        super("the field %s%s %s".formatted(type, type.isOfQueue() ? " of queue " + index : "", message));
        this.output = ContextLayout.refusedField(type.number(), index);
    }

    /** Refuses a field of the device unless it is fine. */
    static void check(boolean fine, ContextFieldType type, String otherwise) throws FieldRefusedException {
        check(fine, type, 0, otherwise);
    }

    /** Refuses a field of a queue unless it is fine. */
    static void check(boolean fine, ContextFieldType type, int index, String otherwise)
            throws FieldRefusedException {
        if (!fine) {
            throw new FieldRefusedException(type, index, otherwise);
        }
    }

    /** The field, as the command-specific output names it. */
    int output() {
        return output;
    }
}
