// SPDX-License-Identifier: Apache-2.0
package dev.ferry.bench;

import dev.ferry.migration.DevicePair;
import dev.ferry.migration.MigrationListener;
import dev.ferry.migration.MigrationReport;
import dev.ferry.migration.MigrationReport.Result;
import dev.ferry.migration.MigrationRequest;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;

/** Migrates VFs and a guest between two hosts, to and fro. One for each pair of hosts, as it knows where they are. */
final class Shuttle {

    private static final long LIMIT_SECONDS = 300;

    /** So that the time when it switches over does not depend on a prediction. */
    private static final Duration ANY_DOWNTIME = Duration.ofMinutes(2);

    private final EmulatedHosts hosts;
    private final IdleGuest[] guests;
    private int here = 1;

    /** With a guest of so many bytes, none if that is 0. */
    Shuttle(EmulatedHosts hosts, int guestBytes) {
        this.hosts = hosts;
        this.guests = guestBytes == 0
                ? new IdleGuest[0]
                : new IdleGuest[] {IdleGuest.of(guestBytes), IdleGuest.of(guestBytes)};
    }

    /** One VF. */
    MigrationReport migrate(boolean preCopy) throws Exception {
        return migrate(1, preCopy, MigrationListener.NONE);
    }

    /** The first VFs, which must complete. */
    MigrationReport migrate(int vfs, boolean preCopy, MigrationListener listener) throws Exception {
        int there = 3 - here;
        MigrationRequest request = MigrationRequest.of(pairs(vfs, there))
                .withPreCopy(preCopy)
                .withMaxDowntime(ANY_DOWNTIME);
        if (guests.length > 0) {
            request = request.withGuests(guests[here - 1], guests[there - 1]);
        }
        MigrationReport report = hosts.migrations()
                .start(request, listener)
                .result()
                .toCompletableFuture()
                .get(LIMIT_SECONDS, TimeUnit.SECONDS);
        if (report.result() != Result.COMPLETED) {
            throw new IllegalStateException("a migration failed: " + report.failure());
        }
        here = there;
        return report;
    }

    private List<DevicePair> pairs(int vfs, int there) {
        List<DevicePair> pairs = new ArrayList<>();
        for (int vf = 1; vf <= vfs; vf++) {
            pairs.add(new DevicePair("host" + here + "/pf0/vf" + vf, "host" + there + "/pf0/vf" + vf));
        }
        return pairs;
    }
}
