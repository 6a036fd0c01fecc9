// SPDX-License-Identifier: Apache-2.0
package dev.ferry.shell.internal;

import dev.ferry.cli.CommandFailedException;
import dev.ferry.migration.FailureCode;

/** Says which service a command cannot do without. */
final class Missing {

    private Missing() {}

    /** The service, or a failure that names the bundle to start; {@code service} may be null. */
    static <S> S unlessThere(S service, String what, String bundle) throws CommandFailedException {
        if (service == null) {
            throw new CommandFailedException(
                    FailureCode.PROVIDER_GONE, "there is no " + what + " now; start the bundle " + bundle);
        }
        return service;
    }
}
