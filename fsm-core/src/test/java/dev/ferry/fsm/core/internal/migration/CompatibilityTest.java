// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.migration;

import static org.assertj.core.api.Assertions.assertThat;

import dev.ferry.device.DeviceProfile;
import dev.ferry.device.DeviceProfile.Aspect;
import dev.ferry.device.DeviceProfile.Exact;
import dev.ferry.device.DeviceProfile.Limits;
import dev.ferry.device.DeviceProfile.Names;
import dev.ferry.device.DeviceProfile.Trait;
import dev.ferry.migration.Finding;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

class CompatibilityTest {

    private static List<Finding> compare(Trait asked, Trait taken) {
        return compare(List.of(asked), List.of(taken));
    }

    private static List<Finding> compare(List<Trait> asked, List<Trait> taken) {
        return Compatibility.findings(
                "a", new DeviceProfile(asked, List.of()), "b", new DeviceProfile(List.of(), taken));
    }

    private static Names names(Aspect aspect, String... values) {
        return new Names(aspect, "things", new TreeSet<>(List.of(values)));
    }

    private static Exact exact(String... values) {
        return new Exact(Aspect.FEATURES, "offered features", new TreeSet<>(List.of(values)));
    }

    private static Limits limits(Map<String, Long> values) {
        return new Limits(Aspect.QUEUES, "queue size", new TreeMap<>(values));
    }

    @Test
    void shouldFindNothingWhenTheDestinationTakesMoreThanIsAskedFor() {
        assertThat(compare(names(Aspect.PARTS, "x"), names(Aspect.PARTS, "x", "y"))).isEmpty();
        assertThat(compare(exact("x", "y"), exact("y", "x"))).isEmpty();
        assertThat(compare(limits(Map.of("queue 0", 256L)), limits(Map.of("queue 0", 256L, "queue 1", 1L))))
                .isEmpty();
    }

    @Test
    void shouldNameWhatTheDestinationDoesNotTake() {
        assertThat(compare(names(Aspect.PARTS, "x", "y", "z"), names(Aspect.PARTS, "y")))
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.code()).isEqualTo(Finding.Code.PARTS_MISMATCH);
                    assertThat(finding.device()).isEqualTo("b");
                    assertThat(finding.message())
                            .startsWith("b: it does not take, of the things of the source, x, z;")
                            .endsWith("choose another destination for a.");
                });
    }

    @Test
    void shouldNameBothSidesOfADifference() {
        assertThat(compare(exact("x", "y"), exact("y", "z")))
                .singleElement()
                .satisfies(finding -> assertThat(finding.message()).contains("it lacks x, and has besides z"));
        assertThat(compare(Exact.of(Aspect.QUEUES, "number of queues", "3"),
                        Exact.of(Aspect.QUEUES, "number of queues", "9")))
                .singleElement()
                .satisfies(finding ->
                        assertThat(finding.message()).contains("its number of queues is 9, but 3 at the source"));
    }

    @Test
    void shouldNameEachLimitThatIsExceeded() {
        Limits asked = limits(Map.of("queue 0", 256L, "queue 1", 64L, "queue 7", 1024L));
        assertThat(compare(asked, limits(Map.of("queue 0", 128L, "queue 1", 128L))))
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.code()).isEqualTo(Finding.Code.QUEUES_MISMATCH);
                    assertThat(finding.message()).contains("256 of queue 0 where 128 is the most").doesNotContain("64");
                });
    }

    @Test
    void shouldBoundAMessage() {
        String[] many = java.util.stream.IntStream.range(10, 99).mapToObj(Integer::toString).toArray(String[]::new);
        assertThat(compare(names(Aspect.LIMITS, many), names(Aspect.LIMITS)))
                .singleElement()
                .satisfies(finding -> {
                    assertThat(finding.code()).isEqualTo(Finding.Code.LIMIT_EXCEEDED);
                    assertThat(finding.message()).contains("17 and 81 more");
                });
    }

    @Test
    void shouldCollectTheFindingsOfAllTraits() {
        assertThat(compare(
                        List.of(names(Aspect.RECORDS, "1"), exact("x"), limits(Map.of("queue 0", 2L))),
                        List.of(limits(Map.of("queue 0", 1L)), exact("y"), names(Aspect.RECORDS, "0"))))
                .extracting(Finding::code)
                .containsExactly(
                        Finding.Code.RECORDS_MISMATCH, Finding.Code.FEATURES_MISMATCH, Finding.Code.QUEUES_MISMATCH);
    }

    @Test
    void shouldNotCompareWhatOnlyOneEndNamesOrWhatIsOfAnotherKind() {
        assertThat(compare(List.of(exact("x")), List.of())).isEmpty();
        assertThat(compare(names(Aspect.PARTS, "x"), new Exact(Aspect.PARTS, "things", new TreeSet<>()))).isEmpty();
    }
}
