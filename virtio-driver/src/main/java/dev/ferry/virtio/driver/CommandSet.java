// SPDX-License-Identifier: Apache-2.0
package dev.ferry.virtio.driver;

import dev.ferry.virtio.AdminOpcode;
import dev.ferry.virtio.context.ContextOpcode;
import java.util.BitSet;

/** The commands by which an owner device lets its members migrate; each set is the matter of one provider. */
public enum CommandSet {
    /** Device parts, as in virtio 1.4; also where an owner has neither, or more than one. */
    DEVICE_PARTS,
    /** The device context of the 2023 proposal. */
    DEVICE_CONTEXT;

    /**
     * The set of an owner device. All providers ask here, so that no owner is without one, and none has two of them.
     *
     * @param reported the answer to LIST_QUERY for the members
     */
    public static CommandSet of(BitSet reported) {
        boolean context = reported.get(ContextOpcode.V1_DEV_MODE_SET.number())
                && !reported.get(AdminOpcode.DEV_MODE_SET.number());
        return context ? DEVICE_CONTEXT : DEVICE_PARTS;
    }
}
