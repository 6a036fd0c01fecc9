// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.Set;
import net.jqwik.api.Example;
import net.jqwik.api.ForAll;
import net.jqwik.api.Property;
import net.jqwik.api.constraints.IntRange;

class TurnsPropertyTest {

    @Example
    void shouldLetOthersPassWhoNeedOtherHosts() {
        Turns<String> turns = new Turns<>(new Turns.Limits(8, 1, 8));
        turns.add("a1", Set.of("a"), Set.of("z"));
        turns.add("a2", Set.of("a"), Set.of("z"));
        turns.add("b1", Set.of("b"), Set.of("y"));
        turns.add("b-to-z", Set.of("c"), Set.of("z"));
        assertThat(turns.next()).containsExactly("a1", "b1");
        turns.ended("b1");
        assertThat(turns.next()).as("z is kept for a2, which came before").isEmpty();
        turns.ended("a1");
        assertThat(turns.next()).containsExactly("a2", "b-to-z");
    }

    @Example
    void shouldForgetWhatIsWithdrawn() {
        Turns<String> turns = new Turns<>(new Turns.Limits(1, 1, 1));
        turns.add("one", Set.of("a"), Set.of("b"));
        turns.add("two", Set.of("a"), Set.of("b"));
        turns.add("three", Set.of("a"), Set.of("b"));
        assertThat(turns.next()).containsExactly("one");
        assertThat(turns.withdraw("two")).isTrue();
        assertThat(turns.withdraw("two")).isFalse();
        assertThat(turns.withdraw("one")).as("it runs").isFalse();
        turns.ended("one");
        assertThat(turns.next()).containsExactly("three");
    }

    @Property(tries = 300)
    void shouldStartAllWithinTheLimitsAndInOrderPerHost(
            @ForAll @IntRange(min = 1, max = 5) int total,
            @ForAll @IntRange(min = 1, max = 3) int outgoing,
            @ForAll @IntRange(min = 1, max = 3) int incoming,
            @ForAll @IntRange(min = 1, max = 40) int jobs,
            @ForAll long seed) {
        Random random = new Random(seed);
        Turns<Integer> turns = new Turns<>(new Turns.Limits(total, outgoing, incoming));
        Map<Integer, String> from = new HashMap<>();
        Map<Integer, String> to = new HashMap<>();
        List<Integer> running = new ArrayList<>();
        List<Integer> order = new ArrayList<>();
        int added = 0;
        while (order.size() < jobs) {
            if (added < jobs && random.nextBoolean()) {
                from.put(added, "out" + random.nextInt(3));
                to.put(added, "in" + random.nextInt(3));
                turns.add(added, Set.of(from.get(added)), Set.of(to.get(added)));
                added++;
            } else if (!running.isEmpty()) {
                turns.ended(running.remove(random.nextInt(running.size())));
            }
            List<Integer> next = turns.next();
            running.addAll(next);
            order.addAll(next);
            assertThat(running.size()).isLessThanOrEqualTo(total);
            for (int job : running) {
                assertThat(running.stream().filter(other -> from.get(other).equals(from.get(job))).count())
                        .isLessThanOrEqualTo(outgoing);
                assertThat(running.stream().filter(other -> to.get(other).equals(to.get(job))).count())
                        .isLessThanOrEqualTo(incoming);
            }
        }
        for (String host : Set.of("out0", "out1", "out2")) {
            assertThat(order.stream().filter(job -> from.get(job).equals(host)).toList()).isSorted();
        }
        for (String host : Set.of("in0", "in1", "in2")) {
            assertThat(order.stream().filter(job -> to.get(job).equals(host)).toList()).isSorted();
        }
    }
}
