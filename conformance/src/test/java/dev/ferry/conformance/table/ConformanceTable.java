// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.table;

import java.lang.reflect.Method;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.stream.Collectors;

/** The conformance table: per rule its text, its tests and what came of them. */
final class ConformanceTable {

    private static final String HEADING = """
            # Conformance with virtio 1.4: admin commands and device parts

            D = rules for devices, tested against the emulator bundle. R = rules for drivers, tested against the bundles
            that drive them. How to read this: docs/conformance.md.

            """;

    /** One line. */
    private record Row(NumberedRule rule, List<String> tests, String reason, Result result) {}

    private final List<Row> rows;

    private ConformanceTable(List<Row> rows) {
        this.rows = rows;
    }

    /**
     * Puts together what is known.
     *
     * @param results by the name of the test; one that is not there was not run
     */
    static ConformanceTable of(
            List<NumberedRule> rules,
            Map<String, String> reasons,
            Map<String, List<Method>> tests,
            Map<String, Result> results) {
        List<Row> rows = new ArrayList<>();
        for (NumberedRule rule : rules) {
            List<String> names = tests.getOrDefault(rule.number(), List.of()).stream()
                    .map(RuleTests::name)
                    .sorted()
                    .toList();
            String reason = reasons.getOrDefault(rule.number(), "");
            rows.add(new Row(rule, names, reason, result(names, reason, results)));
        }
        return new ConformanceTable(rows);
    }

    private static Result result(List<String> tests, String reason, Map<String, Result> results) {
        if (tests.isEmpty()) {
            return reason.isEmpty() ? Result.MISSING : Result.REASON;
        }
        return tests.stream()
                .map(test -> results.getOrDefault(test, Result.NOT_RUN))
                .reduce(Result.PASSED, Result::worse);
    }

    private long count(Result result) {
        return rows.stream().filter(row -> row.result() == result).count();
    }

    /** One line for the end of a build. */
    String summary() {
        long tested = rows.stream().filter(row -> !row.tests().isEmpty()).count();
        String rest = (count(Result.NOT_RUN) == 0 ? "" : ", %d not run".formatted(count(Result.NOT_RUN)))
                + (count(Result.MISSING) == 0 ? "" : ", %d MISSING".formatted(count(Result.MISSING)));
        return "conformance: %d rules, %d tested, %d with a reason, %d failed%s"
                .formatted(rows.size(), tested, count(Result.REASON), count(Result.FAILED), rest);
    }

    /** For people. */
    String markdown() {
        return rows.stream()
                .map(row -> "| %s | %s | %s | %s | %s |\n".formatted(
                        row.rule().number(),
                        row.rule().chapter(),
                        row.rule().text(),
                        row.tests().isEmpty() ? row.reason() : String.join("<br>", row.tests()),
                        row.result().word()))
                .collect(Collectors.joining(
                        "",
                        HEADING + summary() + "\n\n| Rule | Chapter | Text | Tests, or why there are none | Result |\n"
                                + "|---|---|---|---|---|\n",
                        ""));
    }

    /** For machines: a line per rule and test, RFC 4180. */
    String csv() {
        StringBuilder lines = new StringBuilder("rule,chapter,text,test,reason,result\n");
        for (Row row : rows) {
            List<String> tests = row.tests().isEmpty() ? List.of("") : row.tests();
            tests.forEach(test -> lines.append(String.join(
                            ",",
                            row.rule().number(),
                            row.rule().chapter(),
                            quoted(row.rule().text()),
                            test,
                            quoted(row.reason()),
                            row.result().word()))
                    .append('\n'));
        }
        return lines.toString();
    }

    private static String quoted(String text) {
        return '"' + text.replace("\"", "\"\"") + '"';
    }
}
