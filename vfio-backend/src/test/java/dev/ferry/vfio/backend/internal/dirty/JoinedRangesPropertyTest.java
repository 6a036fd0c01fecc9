// SPDX-License-Identifier: Apache-2.0
package dev.ferry.vfio.backend.internal.dirty;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.IovaRange;
import java.util.ArrayList;
import java.util.List;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;
import net.jqwik.api.constraints.Size;

class JoinedRangesPropertyTest {

    @Property
    void shouldCoverTheRangesWithAsManyAsAreAllowed(
            @ForAll @Size(min = 1, max = 40) List<@IntRange(min = 0, max = 9) Integer> gaps,
            @ForAll @IntRange(min = 1, max = 40) int count) {
        List<IovaRange> ranges = new ArrayList<>();
        long at = 0;
        for (int gap : gaps) {
            ranges.add(new IovaRange(at + gap, 3));
            at += gap + 3;
        }

        List<IovaRange> joined = JoinedRanges.atMost(count, ranges);

        assertThat(joined).hasSize(Math.min(count, ranges.size()));
        assertThat(ranges).allMatch(range -> joined.stream()
                .anyMatch(one -> one.iova() <= range.iova() && range.end() <= one.end()));
        for (int i = 1; i < joined.size(); i++) {
            assertThat(joined.get(i).iova()).isGreaterThanOrEqualTo(joined.get(i - 1).end());
        }
    }
}
