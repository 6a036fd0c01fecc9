// SPDX-License-Identifier: Apache-2.0
package dev.ferry.contract;

/**
 * One demand of the contract.
 *
 * @param name a sentence
 * @param body throws {@link AssertionError} when the driver does otherwise; other exceptions are failures, too
 */
public record Check(String name, Body body) {

    /** What is done. */
    @FunctionalInterface
    public interface Body {
        /** Runs to the end or throws. */
        void run() throws Exception;
    }

    /** Runs the check. */
    public void run() throws Exception {
        body.run();
    }
}
