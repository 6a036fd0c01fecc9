// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.table;

import static org.assertj.core.api.Assertions.assertThat;

import java.lang.reflect.Method;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;

class ConformanceTableTest {

    private static final List<NumberedRule> RULES = List.of(
            new NumberedRule("X1", "one", "First."),
            new NumberedRule("X2", "one", "Second, \"quoted\"."),
            new NumberedRule("X3", "two", "Third."));

    private final Map<String, List<Method>> tests;

    ConformanceTableTest() throws NoSuchMethodException {
        tests = Map.of(
                "X1",
                List.of(
                        ConformanceTableTest.class.getDeclaredMethod("one"),
                        ConformanceTableTest.class.getDeclaredMethod("two")));
    }

    void one() {}

    void two() {}

    private String summary(Map<String, String> reasons, Map<String, Result> results) {
        return ConformanceTable.of(RULES, reasons, tests, results).summary();
    }

    @Test
    void shouldCountWhatCameOfTheRules() {
        Map<String, Result> passed =
                Map.of("ConformanceTableTest.one", Result.PASSED, "ConformanceTableTest.two", Result.PASSED);
        assertThat(summary(Map.of("X2", "none", "X3", "none"), passed))
                .isEqualTo("conformance: 3 rules, 1 tested, 2 with a reason, 0 failed");
        assertThat(summary(Map.of("X2", "none"), passed))
                .isEqualTo("conformance: 3 rules, 1 tested, 1 with a reason, 0 failed, 1 MISSING");
    }

    @Test
    void shouldTakeTheWorstOfSeveralTests() {
        assertThat(summary(Map.of(), Map.of("ConformanceTableTest.one", Result.PASSED)))
                .isEqualTo("conformance: 3 rules, 1 tested, 0 with a reason, 0 failed, 1 not run, 2 MISSING");
        assertThat(summary(Map.of(), Map.of("ConformanceTableTest.two", Result.FAILED)))
                .isEqualTo("conformance: 3 rules, 1 tested, 0 with a reason, 1 failed, 2 MISSING");
    }

    @Test
    void shouldWriteALinePerRuleForPeopleAndPerTestForMachines() {
        ConformanceTable table = ConformanceTable.of(
                RULES, Map.of("X2", "cannot be"), tests, Map.of("ConformanceTableTest.two", Result.FAILED));
        assertThat(table.markdown()).endsWith("""
                | X1 | one | First. | ConformanceTableTest.one<br>ConformanceTableTest.two | FAILED |
                | X2 | one | Second, "quoted". | cannot be | reason given |
                | X3 | two | Third. |  | MISSING |
                """);
        assertThat(table.csv()).isEqualTo("""
                rule,chapter,text,test,reason,result
                X1,one,"First.",ConformanceTableTest.one,"",FAILED
                X1,one,"First.",ConformanceTableTest.two,"",FAILED
                X2,one,"Second, ""quoted"".",,"cannot be",reason given
                X3,two,"Third.",,"",MISSING
                """);
    }
}
