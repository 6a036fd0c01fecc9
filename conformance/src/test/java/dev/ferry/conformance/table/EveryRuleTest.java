// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

/** The table is whole: what makes the build fail when a rule has neither a test nor a reason. */
class EveryRuleTest {

    private static final int DEVICE_RULES = 56;
    private static final int DRIVER_RULES = 23;

    private final List<String> rules =
            NumberedRule.all().stream().map(NumberedRule::number).toList();
    private final Map<String, List<Method>> tests = RuleTests.byRule();

    @Test
    void shouldListEveryRuleOnceAndInOrder() {
        List<String> expected = new ArrayList<>();
        for (int number = 1; number <= DEVICE_RULES; number++) {
            expected.add("D" + number);
        }
        for (int number = 1; number <= DRIVER_RULES; number++) {
            expected.add("R" + number);
        }
        assertThat(rules).isEqualTo(expected);
    }

    @Test
    void shouldHaveATestOrAReasonForEveryRule() {
        TreeSet<String> missing = new TreeSet<>(rules);
        missing.removeAll(tests.keySet());
        missing.removeAll(NumberedRule.reasons().keySet());
        assertThat(missing).as("rules with neither a test nor a reason").isEmpty();
    }

    @Test
    void shouldGiveReasonsOnlyForRulesWithoutTests() {
        assertThat(NumberedRule.reasons().keySet()).isSubsetOf(rules).doesNotContainAnyElementsOf(tests.keySet());
        assertThat(NumberedRule.reasons().values()).allMatch(reason -> reason.length() > 20);
    }

    @Test
    void shouldNameEveryTestAfterItsRule() {
        assertThat(tests.keySet()).isSubsetOf(rules);
        assertThat(tests.values().stream().flatMap(List::stream).filter(test -> !RuleTests.isNamedAfterItsRule(test)))
                .isEmpty();
    }
}
