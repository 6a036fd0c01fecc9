// SPDX-License-Identifier: Apache-2.0
package dev.ferry.demo.internal.traffic;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.List;
import java.util.Optional;
import org.junit.jupiter.api.Test;

class MadeUpTrafficTest {

    private static final int SEQUENCE_OFFSET = 14;

    @Test
    void shouldMakeDifferentFramesOfMixedSizesWithASequenceNumber() throws IOException {
        List<Frame> frames = all(new MadeUpTraffic(2_000));

        assertThat(frames).hasSize(2_000);
        assertThat(new HashSet<>(frames)).hasSize(2_000);
        assertThat(frames).allMatch(frame -> frame.length() >= 60 && frame.length() <= Frame.MAX_BYTES);
        assertThat(frames).anyMatch(frame -> frame.length() > 1_514).anyMatch(frame -> frame.length() < 200);
        for (int number = 0; number < frames.size(); number++) {
            assertThat(frames.get(number).bytes().getLong(SEQUENCE_OFFSET)).isEqualTo(number);
        }
    }

    @Test
    void shouldMakeTheSameFramesEachTime() throws IOException {
        assertThat(all(new MadeUpTraffic(50))).isEqualTo(all(new MadeUpTraffic(50)));
    }

    private static List<Frame> all(Traffic traffic) throws IOException {
        List<Frame> frames = new ArrayList<>();
        try (Traffic.Frames open = traffic.open()) {
            for (Optional<Frame> next = open.next(); next.isPresent(); next = open.next()) {
                frames.add(next.get());
            }
        }
        return frames;
    }
}
