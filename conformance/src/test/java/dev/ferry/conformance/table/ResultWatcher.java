// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.table;

import java.util.Optional;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;
import org.junit.jupiter.api.extension.ExtensionContext.Namespace;
import org.junit.jupiter.api.extension.TestWatcher;

/** Notes what came of each test of a rule, and writes the table when all tests have run. */
public final class ResultWatcher implements BeforeEachCallback, TestWatcher {

    private static final Namespace NAMESPACE = Namespace.create(ResultWatcher.class);

    @Override
    public void beforeEach(ExtensionContext context) {
        results(context);
    }

    @Override
    public void testSuccessful(ExtensionContext context) {
        note(context, Result.PASSED);
    }

    @Override
    public void testFailed(ExtensionContext context, Throwable cause) {
        note(context, Result.FAILED);
    }

    @Override
    public void testAborted(ExtensionContext context, Throwable cause) {
        note(context, Result.FAILED);
    }

    @Override
    public void testDisabled(ExtensionContext context, Optional<String> reason) {
        note(context, Result.NOT_RUN);
    }

    private static void note(ExtensionContext context, Result result) {
        results(context).note(context.getRequiredTestMethod(), result);
    }

    // Closed by JUnit when everything has run.
    private static Results results(ExtensionContext context) {
        return context.getRoot().getStore(NAMESPACE).getOrComputeIfAbsent(Results.class);
    }
}
