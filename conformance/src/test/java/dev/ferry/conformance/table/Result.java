// SPDX-License-Identifier: Apache-2.0
package dev.ferry.conformance.table;

/** What came of the tests of a rule. Of several the last in this order holds. */
enum Result {
    /** The rule is kept. */
    PASSED("passed"),
    /** There is no test, for the reason that is given. */
    REASON("reason given"),
    /** Left out of this run. */
    NOT_RUN("not run"),
    /** There is neither a test nor a reason. */
    MISSING("MISSING"),
    /** The rule is broken. */
    FAILED("FAILED");

    private final String word;

    Result(String word) {
        this.word = word;
    }

    String word() {
        return word;
    }

    static Result worse(Result one, Result other) {
        return one.compareTo(other) > 0 ? one : other;
    }
}
