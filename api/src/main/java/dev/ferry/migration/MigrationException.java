// SPDX-License-Identifier: Apache-2.0
package dev.ferry.migration;

/** Something asked of {@link MigrationService} could not be done; {@link #failure} says why. */
public class MigrationException extends Exception {
    private static final long serialVersionUID = 1L;

    private final transient Failure failure;

    /** A failure without a cause of its own. */
    public MigrationException(Failure failure) {
        this(failure, null);
    }

    /** A failure with its cause; {@code cause} may be null. */
    public MigrationException(Failure failure, Throwable cause) {
        super(failure.message(), cause);
        this.failure = failure;
    }

    /** What failed. */
    public Failure failure() {
        return failure;
    }
}
