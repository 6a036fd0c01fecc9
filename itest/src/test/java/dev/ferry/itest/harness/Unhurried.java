// SPDX-License-Identifier: Apache-2.0
package dev.ferry.itest.harness;

import dev.ferry.migration.MigrationRequest;
import java.time.Duration;

/** Migrations that are not about downtime: a machine that is busy would predict too much of it, and refuse to pause. */
public final class Unhurried {

    private static final Duration ANY_DOWNTIME = Duration.ofMinutes(1);

    private Unhurried() {}

    /** A request that allows any downtime. */
    public static MigrationRequest move(String source, String destination) {
        return MigrationRequest.of(source, destination).withMaxDowntime(ANY_DOWNTIME);
    }
}
