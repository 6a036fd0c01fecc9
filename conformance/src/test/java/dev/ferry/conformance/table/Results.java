// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.table;

import java.io.IOException;
import java.lang.reflect.Method;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;

/** What came of the tests so far, by the name of the test; written as a table when it is closed. Thread-safe. */
final class Results implements AutoCloseable {

    private static final String FOLDER_PROPERTY = "ferry.conformance.folder";

    private final Map<String, Result> results = new ConcurrentHashMap<>();

    /** Of several invocations of one method the worst result holds. */
    void note(Method method, Result result) {
        results.merge(RuleTests.name(method), result, Result::worse);
    }

    @Override
    public void close() throws IOException {
        ConformanceTable table = ConformanceTable.of(
                NumberedRule.all(), NumberedRule.reasons(), RuleTests.byRule(), results);
        Path folder = Files.createDirectories(Path.of(System.getProperty(FOLDER_PROPERTY, "target")));
        Files.writeString(folder.resolve("conformance.md"), table.markdown());
        Files.writeString(folder.resolve("conformance.csv"), table.csv());
        System.out.println(table.summary());
    }
}
