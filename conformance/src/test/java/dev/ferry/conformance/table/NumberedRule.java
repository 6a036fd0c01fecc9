// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.table;

import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;

/**
 * One rule as the table shows it.
 *
 * @param number for example D12
 * @param chapter of the text
 * @param text in our own words
 */
record NumberedRule(String number, String chapter, String text) {

    private static final String SEPARATOR = " \\| ";
    private static final int COLUMNS = 3;

    /** All rules in the order of their numbers, devices first. */
    static List<NumberedRule> all() {
        return lines("rules.txt").stream().map(line -> {
            String[] columns = line.split(SEPARATOR, COLUMNS);
            return new NumberedRule(columns[0], columns[1], columns[2]);
        }).toList();
    }

    /** Why a rule has no test, by its number. */
    static Map<String, String> reasons() {
        Map<String, String> reasons = new LinkedHashMap<>();
        lines("reasons.txt").forEach(line -> {
            String[] columns = line.split(SEPARATOR, 2);
            reasons.put(columns[0], columns[1]);
        });
        return reasons;
    }

    private static List<String> lines(String resource) {
        try (BufferedReader reader = new BufferedReader(new InputStreamReader(
                NumberedRule.class.getResourceAsStream(resource), StandardCharsets.UTF_8))) {
            return reader.lines().filter(line -> !line.startsWith("#") && !line.isBlank()).toList();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }
}
