// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.driver;

import static dev.ferry.conformance.harness.Hex.le16;
import static dev.ferry.conformance.harness.Hex.le64;
import static dev.ferry.conformance.harness.Hex.zeros;

import dev.ferry.conformance.harness.Part;
import java.util.ArrayList;
import java.util.List;

/** The parts of a device of two queues, typed in. */
final class TypicalParts {

    private static final String NO_SELECTOR = zeros(8);
    private static final int OPTIONAL = 1;

    private TypicalParts() {}

    /** In the order of the table. */
    static List<Part> parts() {
        List<Part> parts = new ArrayList<>();
        parts.add(new Part(Part.DEV_FEATURES, OPTIONAL, NO_SELECTOR, le64(1L << 32 | 1 << 5)));
        parts.add(Part.of(Part.DRV_FEATURES, NO_SELECTOR, le64(1L << 32)));
        parts.add(Part.of(Part.PCI_COMMON_CFG, Part.field(16), le16(0xFFFF)));
        parts.add(Part.of(Part.PCI_COMMON_CFG, Part.field(18), le16(2)));
        parts.add(Part.of(Part.DEVICE_STATUS, NO_SELECTOR, "0f"));
        for (int queue = 0; queue < 2; queue++) {
            parts.add(Part.of(
                    Part.VQ_CFG,
                    Part.queue(queue),
                    le16(256) + le16(queue) + le16(1) + le16(0) + le64(0x1000) + le64(0x2000) + le64(0x3000)));
        }
        for (int queue = 0; queue < 2; queue++) {
            parts.add(Part.of(Part.VQ_NOTIFY_CFG, Part.queue(queue), le16(queue) + zeros(6)));
        }
        parts.add(Part.of(Part.NET_CVQ_CFG, Part.control(0, 0), "01"));
        parts.add(Part.of(Part.NET_CVQ_CFG, Part.control(1, 1), "02aabbccddee"));
        return parts;
    }

    static String hex() {
        return Part.hex(parts());
    }

    /** A part that no device knows, with so many bytes. */
    static String optional(int bytes) {
        return new Part(0x5F0, OPTIONAL, NO_SELECTOR, zeros(bytes)).hex();
    }
}
