// SPDX-License-Identifier: Apache-2.0
package dev.ferry.cli;

/** A command was called with an argument that cannot be meant; the message says what is wanted. Exit status 2. */
public final class UsageException extends Exception {
    private static final long serialVersionUID = 1L;

    /** One sentence for the user. */
    public UsageException(String message) {
        super(message);
    }
}
