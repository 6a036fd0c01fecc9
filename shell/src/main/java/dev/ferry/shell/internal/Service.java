// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.CommandFailedException;

/** A service that may not be there; asked for when a command needs it, since help needs none. */
@FunctionalInterface
interface Service<S> {

    /** The service as of now; the failure is a sentence for the user. */
    S get() throws CommandFailedException;
}
