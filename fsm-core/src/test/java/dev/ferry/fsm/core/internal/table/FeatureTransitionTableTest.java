// SPDX-License-Identifier: Apache-2.0
package dev.ferry.fsm.core.internal.table;

import static dev.ferry.fsm.MigrationFeature.P2P;
import static dev.ferry.fsm.MigrationFeature.PRE_COPY;
import static dev.ferry.fsm.MigrationFeature.STOP_COPY;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatIllegalArgumentException;

import dev.ferry.fsm.Arc;
import dev.ferry.fsm.DeviceState;
import dev.ferry.fsm.MigrationFeature;
import dev.ferry.fsm.TransitionTable;
import java.util.EnumSet;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.Arguments;
import org.junit.jupiter.params.provider.MethodSource;

/** Compares the table with matrices, paths and arcs that were written down by hand from the kernel's rules. */
class FeatureTransitionTableTest {

    private static final Set<MigrationFeature> STOP_COPY_ONLY = EnumSet.of(STOP_COPY);
    private static final Set<MigrationFeature> WITH_P2P = EnumSet.of(STOP_COPY, P2P);
    private static final Set<MigrationFeature> WITH_PRE_COPY = EnumSet.of(STOP_COPY, PRE_COPY);
    private static final Set<MigrationFeature> WITH_BOTH = EnumSet.of(STOP_COPY, P2P, PRE_COPY);

    // The first row names the columns; "-" is a refusal. States that are not named are refused in both directions.
    private static final String STOP_COPY_ONLY_MATRIX =
            """
                      STOP RUNNING STOP_COPY RESUMING
            STOP      STOP RUNNING STOP_COPY RESUMING
            RUNNING   STOP RUNNING STOP      STOP
            STOP_COPY STOP STOP    STOP_COPY STOP
            RESUMING  STOP STOP    STOP      RESUMING
            """;

    private static final String WITH_P2P_MATRIX =
            """
                        STOP        RUNNING     STOP_COPY   RESUMING    RUNNING_P2P
            STOP        STOP        RUNNING_P2P STOP_COPY   RESUMING    RUNNING_P2P
            RUNNING     RUNNING_P2P RUNNING     RUNNING_P2P RUNNING_P2P RUNNING_P2P
            STOP_COPY   STOP        STOP        STOP_COPY   STOP        STOP
            RESUMING    STOP        STOP        STOP        RESUMING    STOP
            RUNNING_P2P STOP        RUNNING     STOP        STOP        RUNNING_P2P
            """;

    private static final String WITH_PRE_COPY_MATRIX =
            """
                      STOP    RUNNING STOP_COPY RESUMING PRE_COPY
            STOP      STOP    RUNNING STOP_COPY RESUMING RUNNING
            RUNNING   STOP    RUNNING STOP      STOP     PRE_COPY
            STOP_COPY STOP    STOP    STOP_COPY STOP     -
            RESUMING  STOP    STOP    STOP      RESUMING STOP
            PRE_COPY  RUNNING RUNNING STOP_COPY RUNNING  PRE_COPY
            """;

    private static final String WITH_BOTH_MATRIX =
            """
                         STOP        RUNNING     STOP_COPY    RESUMING    RUNNING_P2P PRE_COPY    PRE_COPY_P2P
            STOP         STOP        RUNNING_P2P STOP_COPY    RESUMING    RUNNING_P2P RUNNING_P2P RUNNING_P2P
            RUNNING      RUNNING_P2P RUNNING     RUNNING_P2P  RUNNING_P2P RUNNING_P2P PRE_COPY    RUNNING_P2P
            STOP_COPY    STOP        STOP        STOP_COPY    STOP        STOP        -           -
            RESUMING     STOP        STOP        STOP         RESUMING    STOP        STOP        STOP
            RUNNING_P2P  STOP        RUNNING     STOP         STOP        RUNNING_P2P RUNNING     PRE_COPY_P2P
            PRE_COPY     RUNNING     RUNNING     PRE_COPY_P2P RUNNING     RUNNING     PRE_COPY    PRE_COPY_P2P
            PRE_COPY_P2P RUNNING_P2P RUNNING_P2P STOP_COPY    RUNNING_P2P RUNNING_P2P PRE_COPY    PRE_COPY_P2P
            """;

    private static final String STOP_COPY_ONLY_PATHS =
            """
            RUNNING STOP STOP_COPY
            RUNNING STOP RESUMING
            STOP_COPY STOP RUNNING
            STOP_COPY STOP RESUMING
            RESUMING STOP RUNNING
            RESUMING STOP STOP_COPY
            """;

    private static final String WITH_P2P_PATHS =
            """
            STOP RUNNING_P2P RUNNING
            RUNNING RUNNING_P2P STOP
            RUNNING RUNNING_P2P STOP STOP_COPY
            RUNNING RUNNING_P2P STOP RESUMING
            STOP_COPY STOP RUNNING_P2P RUNNING
            STOP_COPY STOP RESUMING
            STOP_COPY STOP RUNNING_P2P
            RESUMING STOP RUNNING_P2P RUNNING
            RESUMING STOP STOP_COPY
            RESUMING STOP RUNNING_P2P
            RUNNING_P2P STOP STOP_COPY
            RUNNING_P2P STOP RESUMING
            """;

    private static final String WITH_PRE_COPY_PATHS =
            """
            STOP RUNNING PRE_COPY
            RUNNING STOP STOP_COPY
            RUNNING STOP RESUMING
            STOP_COPY STOP RUNNING
            STOP_COPY STOP RESUMING
            RESUMING STOP RUNNING
            RESUMING STOP STOP_COPY
            RESUMING STOP RUNNING PRE_COPY
            PRE_COPY RUNNING STOP
            PRE_COPY RUNNING STOP RESUMING
            """;

    private static final String WITH_BOTH_PATHS =
            """
            STOP RUNNING_P2P RUNNING
            STOP RUNNING_P2P RUNNING PRE_COPY
            STOP RUNNING_P2P PRE_COPY_P2P
            RUNNING RUNNING_P2P STOP
            RUNNING RUNNING_P2P STOP STOP_COPY
            RUNNING RUNNING_P2P STOP RESUMING
            RUNNING RUNNING_P2P PRE_COPY_P2P
            STOP_COPY STOP RUNNING_P2P RUNNING
            STOP_COPY STOP RESUMING
            STOP_COPY STOP RUNNING_P2P
            RESUMING STOP RUNNING_P2P RUNNING
            RESUMING STOP STOP_COPY
            RESUMING STOP RUNNING_P2P
            RESUMING STOP RUNNING_P2P RUNNING PRE_COPY
            RESUMING STOP RUNNING_P2P PRE_COPY_P2P
            RUNNING_P2P STOP STOP_COPY
            RUNNING_P2P STOP RESUMING
            RUNNING_P2P RUNNING PRE_COPY
            PRE_COPY RUNNING RUNNING_P2P STOP
            PRE_COPY PRE_COPY_P2P STOP_COPY
            PRE_COPY RUNNING RUNNING_P2P STOP RESUMING
            PRE_COPY RUNNING RUNNING_P2P
            PRE_COPY_P2P RUNNING_P2P STOP
            PRE_COPY_P2P RUNNING_P2P RUNNING
            PRE_COPY_P2P RUNNING_P2P STOP RESUMING
            """;

    private static final String STOP_COPY_ONLY_ARCS =
            """
            STOP_TO_RUNNING STOP_TO_STOP_COPY STOP_TO_RESUMING RUNNING_TO_STOP STOP_COPY_TO_STOP RESUMING_TO_STOP
            """;

    private static final String WITH_P2P_ARCS =
            """
            STOP_TO_STOP_COPY STOP_TO_RESUMING STOP_TO_RUNNING_P2P RUNNING_TO_RUNNING_P2P STOP_COPY_TO_STOP
            RESUMING_TO_STOP RUNNING_P2P_TO_STOP RUNNING_P2P_TO_RUNNING
            """;

    private static final String WITH_PRE_COPY_ARCS =
            """
            STOP_TO_RUNNING STOP_TO_STOP_COPY STOP_TO_RESUMING RUNNING_TO_STOP RUNNING_TO_PRE_COPY STOP_COPY_TO_STOP
            RESUMING_TO_STOP PRE_COPY_TO_RUNNING PRE_COPY_TO_STOP_COPY
            """;

    private static final String WITH_BOTH_ARCS =
            """
            STOP_TO_STOP_COPY STOP_TO_RESUMING STOP_TO_RUNNING_P2P RUNNING_TO_RUNNING_P2P RUNNING_TO_PRE_COPY
            STOP_COPY_TO_STOP RESUMING_TO_STOP RUNNING_P2P_TO_STOP RUNNING_P2P_TO_RUNNING RUNNING_P2P_TO_PRE_COPY_P2P
            PRE_COPY_TO_RUNNING PRE_COPY_TO_PRE_COPY_P2P PRE_COPY_P2P_TO_STOP_COPY PRE_COPY_P2P_TO_RUNNING_P2P
            PRE_COPY_P2P_TO_PRE_COPY
            """;

    private final TransitionTable table = new FeatureTransitionTable();

    static Stream<Arguments> matrices() {
        return Stream.of(
                Arguments.of(STOP_COPY_ONLY, STOP_COPY_ONLY_MATRIX),
                Arguments.of(WITH_P2P, WITH_P2P_MATRIX),
                Arguments.of(WITH_PRE_COPY, WITH_PRE_COPY_MATRIX),
                Arguments.of(WITH_BOTH, WITH_BOTH_MATRIX));
    }

    @ParameterizedTest
    @MethodSource("matrices")
    void shouldEqualTheMatrixInAll64Pairs(Set<MigrationFeature> features, String matrix) {
        Map<DeviceState, Map<DeviceState, DeviceState>> expected = parse(matrix);
        for (DeviceState from : DeviceState.values()) {
            for (DeviceState to : DeviceState.values()) {
                Optional<DeviceState> next =
                        Optional.ofNullable(expected.getOrDefault(from, Map.of()).get(to));
                assertThat(table.next(features, from, to)).as("%s to %s", from, to).isEqualTo(next);
                assertThat(table.refusal(features, from, to).isEmpty())
                        .as("way from %s to %s", from, to)
                        .isEqualTo(next.isPresent());
            }
        }
    }

    static Stream<Arguments> paths() {
        return Stream.of(
                Arguments.of(STOP_COPY_ONLY, STOP_COPY_ONLY_PATHS),
                Arguments.of(WITH_P2P, WITH_P2P_PATHS),
                Arguments.of(WITH_PRE_COPY, WITH_PRE_COPY_PATHS),
                Arguments.of(WITH_BOTH, WITH_BOTH_PATHS));
    }

    @ParameterizedTest
    @MethodSource("paths")
    void shouldTakeTheListedPathsWhenMoreThanOneArcIsNeeded(Set<MigrationFeature> features, String listed) {
        Set<String> longer = new TreeSet<>();
        for (DeviceState from : DeviceState.values()) {
            for (DeviceState to : DeviceState.values()) {
                if (table.refusal(features, from, to).isEmpty() && table.path(features, from, to).size() > 1) {
                    longer.add(states(table.path(features, from, to)));
                }
            }
        }
        assertThat(longer).containsExactlyInAnyOrder(listed.strip().split("\n"));
    }

    static Stream<Arguments> arcs() {
        return Stream.of(
                Arguments.of(STOP_COPY_ONLY, STOP_COPY_ONLY_ARCS),
                Arguments.of(WITH_P2P, WITH_P2P_ARCS),
                Arguments.of(WITH_PRE_COPY, WITH_PRE_COPY_ARCS),
                Arguments.of(WITH_BOTH, WITH_BOTH_ARCS));
    }

    @ParameterizedTest
    @MethodSource("arcs")
    void shouldMakeEveryPathOfTheArcsThatTheFeaturesAllow(Set<MigrationFeature> features, String allowed) {
        Set<Arc> used = EnumSet.noneOf(Arc.class);
        for (DeviceState from : DeviceState.values()) {
            for (DeviceState to : DeviceState.values()) {
                if (table.refusal(features, from, to).isEmpty()) {
                    used.addAll(table.path(features, from, to));
                }
            }
        }
        assertThat(used.stream().map(Arc::name)).containsExactlyInAnyOrder(allowed.strip().split("\\s+"));
    }

    @Test
    void shouldOpenASessionOnTheLastArcOnly() {
        for (DeviceState from : DeviceState.values()) {
            for (DeviceState to : DeviceState.values()) {
                if (table.refusal(WITH_BOTH, from, to).isEmpty()) {
                    List<Arc> path = table.path(WITH_BOTH, from, to);
                    assertThat(path.stream().limit(Math.max(0, path.size() - 1)).map(Arc::sessionEffect))
                            .doesNotContain(Arc.SessionEffect.OPENS_SAVING, Arc.SessionEffect.OPENS_RESUMING);
                }
            }
        }
    }

    @Test
    void shouldHaveAnEmptyPathWhenTheDeviceIsThere() {
        assertThat(table.path(WITH_BOTH, DeviceState.STOP_COPY, DeviceState.STOP_COPY)).isEmpty();
    }

    @Test
    void shouldRefuseBlockedArcsWithTheReason() {
        for (DeviceState to : EnumSet.of(DeviceState.PRE_COPY, DeviceState.PRE_COPY_P2P)) {
            assertThat(table.refusal(WITH_BOTH, DeviceState.STOP_COPY, to).orElseThrow())
                    .contains("STOP_COPY to " + to + " is blocked", "saving session", "RUNNING first");
            assertThatIllegalArgumentException()
                    .isThrownBy(() -> table.path(WITH_BOTH, DeviceState.STOP_COPY, to))
                    .withMessage(table.refusal(WITH_BOTH, DeviceState.STOP_COPY, to).orElseThrow());
        }
    }

    @Test
    void shouldNameTheMissingFeatureOfAnUnsupportedState() {
        assertThat(table.refusal(WITH_P2P, DeviceState.RUNNING, DeviceState.PRE_COPY_P2P).orElseThrow())
                .isEqualTo("The device cannot go to PRE_COPY_P2P: that state needs STOP_COPY and P2P and PRE_COPY, and "
                        + "the device lacks PRE_COPY.");
        assertThat(table.refusal(STOP_COPY_ONLY, DeviceState.RUNNING_P2P, DeviceState.RUNNING).orElseThrow())
                .contains("cannot be in RUNNING_P2P", "lacks P2P");
    }

    @Test
    void shouldSayThatOnlyAResetLeadsOutOfError() {
        for (DeviceState to : DeviceState.values()) {
            assertThat(table.refusal(WITH_BOTH, DeviceState.ERROR, to).orElseThrow()).contains("only a reset");
        }
        assertThat(table.refusal(WITH_BOTH, DeviceState.RUNNING, DeviceState.ERROR).orElseThrow())
                .contains("ERROR cannot be asked for");
    }

    @Test
    void shouldRefuseEverythingButRunningWithoutStopCopy() {
        for (Set<MigrationFeature> features : List.<Set<MigrationFeature>>of(
                EnumSet.noneOf(MigrationFeature.class),
                EnumSet.of(P2P),
                EnumSet.of(PRE_COPY),
                EnumSet.of(P2P, PRE_COPY))) {
            for (DeviceState from : DeviceState.values()) {
                for (DeviceState to : DeviceState.values()) {
                    boolean stays = from == DeviceState.RUNNING && to == DeviceState.RUNNING;
                    assertThat(table.next(features, from, to).isPresent()).isEqualTo(stays);
                    assertThat(table.refusal(features, from, to).isEmpty()).isEqualTo(stays);
                }
            }
        }
    }

    @Test
    void shouldAnswerTheSameForAnyKindOfSet() {
        assertThat(table.next(Set.of(STOP_COPY, P2P), DeviceState.STOP, DeviceState.RUNNING))
                .isEqualTo(table.next(WITH_P2P, DeviceState.STOP, DeviceState.RUNNING))
                .contains(DeviceState.RUNNING_P2P);
    }

    private static String states(List<Arc> path) {
        StringBuilder states = new StringBuilder(path.get(0).from().name());
        path.forEach(arc -> states.append(' ').append(arc.to()));
        return states.toString();
    }

    private static Map<DeviceState, Map<DeviceState, DeviceState>> parse(String matrix) {
        String[] lines = matrix.strip().split("\n");
        String[] columns = lines[0].strip().split("\\s+");
        Map<DeviceState, Map<DeviceState, DeviceState>> parsed = new HashMap<>();
        for (int row = 1; row < lines.length; row++) {
            String[] cells = lines[row].strip().split("\\s+");
            Map<DeviceState, DeviceState> nexts = new HashMap<>();
            for (int column = 0; column < columns.length; column++) {
                if (!cells[column + 1].equals("-")) {
                    nexts.put(DeviceState.valueOf(columns[column]), DeviceState.valueOf(cells[column + 1]));
                }
            }
            parsed.put(DeviceState.valueOf(cells[0]), nexts);
        }
        return parsed;
    }
}
