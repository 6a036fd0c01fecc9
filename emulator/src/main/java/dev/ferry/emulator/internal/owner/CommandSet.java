// SPDX-License-Identifier: Apache-2.0
package dev.ferry.emulator.internal.owner;

import java.util.Arrays;

/** By which commands an owner device lets its members migrate; never by more than one set. */
public enum CommandSet {
    /** Device parts, as in virtio 1.4. */
    PARTS("parts"),
    /** The device context of the 2023 proposal. */
    CONTEXT("context"),
    /** The same, with READ in form B, which tells sizes in the result; for comparison. */
    CONTEXT_FORM_B("context-form-b");

    private final String key;

    CommandSet(String key) {
        this.key = key;
    }

    /** The name in configurations. */
    public String key() {
        return key;
    }

    /** Whether it is the device context in either form. */
    boolean isContext() {
        return this != PARTS;
    }

    /**
     * The set of a name.
     *
     * @throws IllegalArgumentException saying which names there are
     */
    public static CommandSet ofKey(String key) {
        for (CommandSet set : values()) {
            if (set.key.equals(key)) {
                return set;
            }
        }
        throw new IllegalArgumentException("commands must be one of %s, but is '%s'"
                .formatted(String.join(", ", Arrays.stream(values()).map(CommandSet::key).toList()), key));
    }
}
