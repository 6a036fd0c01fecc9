// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.device;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.conformance.harness.Hex;
import dev.ferry.conformance.harness.Part;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Set;

/** The order of parts: by type as in the table of the text, ascending selectors within a type, control parts last. */
final class PartOrder {

    private static final List<Integer> TABLE = List.of(
            Part.DEV_FEATURES,
            Part.DRV_FEATURES,
            Part.PCI_COMMON_CFG,
            Part.DEVICE_STATUS,
            Part.VQ_CFG,
            Part.VQ_NOTIFY_CFG,
            Part.NET_CVQ_CFG);

    private static final int OPTIONAL = 1;

    private PartOrder() {}

    /** Whether the text has parts of this type. */
    static boolean isKnown(Part part) {
        return TABLE.contains(part.type());
    }

    /** Fails unless the known parts are in order, once each, and the others optional. */
    static void check(List<Part> parts) {
        Set<String> names = new HashSet<>();
        int rank = 0;
        long selector = -1;
        for (Part part : parts) {
            assertThat(names.add(part.name())).as("%s comes once", part.name()).isTrue();
            if (!isKnown(part)) {
                assertThat(part.flags()).as("flags of the own part %s", part.name()).isEqualTo(OPTIONAL);
                continue;
            }
            int next = TABLE.indexOf(part.type());
            assertThat(next).as("rank of %s", part.name()).isGreaterThanOrEqualTo(rank);
            long nextSelector = selector(part);
            if (next == rank) {
                assertThat(nextSelector).as("selector of %s", part.name()).isGreaterThan(selector);
            }
            rank = next;
            selector = nextSelector;
        }
        assertThat(parts.stream().map(Part::type)).containsSequence(Part.DEV_FEATURES, Part.DRV_FEATURES);
    }

    /** Class before command for control parts; a little-endian number otherwise. */
    private static long selector(Part part) {
        byte[] selector = Hex.bytes(part.selector());
        if (part.type() == Part.NET_CVQ_CFG) {
            return Hex.number(new byte[] {selector[1], selector[0]}, 0, 2);
        }
        return Hex.number(Arrays.copyOf(selector, Long.BYTES), 0, Long.BYTES);
    }
}
